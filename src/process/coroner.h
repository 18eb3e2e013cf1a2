// Has processes of our own look into the files of workers that have ended: a few at a time, for a
// limited time, with limited means, and gone with all that they have started once they have
// answered. What they read may have been made to hurt.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cgroup/leaf.h"
#include "diagnosis/evidence.h"
#include "process/kernel_log.h"
#include "process/known_pids.h"
#include "process/launch_plan.h"
#include "process/turns.h"

namespace poolwarden::process {

// What looks, and what it is held by.
struct Hand {
  // The program and its first arguments (cli/post_mortem_hand.cpp); empty: nobody looks.
  std::vector<std::string> command;
  // Tells what it started from what other supervisors' did, see marker_prefix().
  std::string runtime_directory = {};
  // A cgroup for each; without, it is held by its session and environment.
  std::function<cgroup::Leaf(const std::string& name)> make_leaf = {};
  // The kernel's OOM killer struck one of them: that explains no worker's end.
  std::function<void()> on_oom_kill = {};
  // For files that it reads itself: much more than it takes, for a machine that has no time.
  Duration file_limit = std::chrono::seconds(20);
};

// As whom it looks.
struct Rights {
  std::optional<Credentials> identity = {};        // absent: ours
  std::optional<std::uint64_t> capabilities = {};  // as bits; absent: ours
};

// Who looks, shared by all workers of a host.
class Coroner {
 public:
  Coroner(boost::asio::io_context& io, KnownPids known, Hand hand);

  bool has_hand() const { return !hand_.command.empty(); }
  KernelLog& log() { return log_; }

  // What the hand answers to these words. It is killed when it takes too long: Hand::file_limit for
  // files that it reads itself, 30 s for a debugger. Four look into files at the same time, and one
  // debugger runs; one that a disk holds although it was killed is waited for no longer. Errors: it
  // could not be asked, did not answer, or too many wait or hang already.
  boost::asio::awaitable<Result<diagnosis::Evidence>> ask(std::vector<std::string> words,
                                                          Rights rights);
  boost::asio::awaitable<Result<diagnosis::Evidence>> ask_debugger(std::vector<std::string> words,
                                                                   Rights rights);

  boost::asio::io_context& io() { return io_; }

 private:
  class Report;
  struct Scene;
  LaunchPlan plan_of(std::vector<std::string> words, Rights rights) const;
  boost::asio::awaitable<Result<diagnosis::Evidence>> ask_in_turn(Turns& turns,
                                                                  std::vector<std::string> words,
                                                                  Rights rights, Duration limit);
  boost::asio::awaitable<Result<diagnosis::Evidence>> run(LaunchPlan plan, Duration limit);
  static boost::asio::awaitable<void> attend(std::shared_ptr<Scene> scene);

  boost::asio::io_context& io_;
  KnownPids known_;
  Hand hand_;
  KernelLog log_;
  Turns hands_, debuggers_;
  std::vector<std::weak_ptr<Scene>> hanging_;
  std::uint64_t started_ = 0;
};

}  // namespace poolwarden::process
