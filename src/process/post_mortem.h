// Looks closer at a worker that has ended: what can be had without waiting at once, what is on the
// disk by way of a process of our own, and where it stood by a debugger in another one. Neither the
// supervision thread nor the worker's successor waits for a disk.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "diagnosis/evidence.h"
#include "process/kernel_log.h"
#include "process/known_pids.h"
#include "process/last_status.h"
#include "process/launch_plan.h"
#include "process/turns.h"

namespace poolwarden::process {

// For so long the kernel may write at the core of a worker that is to be killed.
inline constexpr std::chrono::seconds kLongestDump{10};

// Who looks, shared by all workers of a host.
class Coroner {
 public:
  // `hand`: the program and the command that look into files (cli/post_mortem_hand.cpp); empty:
  // nobody does.
  Coroner(boost::asio::io_context& io, KnownPids known, std::vector<std::string> hand);

  bool has_hand() const { return !hand_.empty(); }
  KernelLog& log() { return log_; }

  // What the hand answers to these words, as that user. It is killed when it takes too long: 5 s
  // for files that it reads itself, 30 s for a debugger. Four look into files at the same time, and
  // one debugger runs. Errors: it could not be asked, did not answer, or too many wait already.
  boost::asio::awaitable<Result<diagnosis::Evidence>> ask(std::vector<std::string> words,
                                                          std::optional<Credentials> identity);
  boost::asio::awaitable<Result<diagnosis::Evidence>> ask_debugger(
      std::vector<std::string> words, std::optional<Credentials> identity);

  boost::asio::io_context& io() { return io_; }

 private:
  LaunchPlan plan_of(std::vector<std::string> words, std::optional<Credentials> identity) const;
  boost::asio::awaitable<Result<diagnosis::Evidence>> run(LaunchPlan plan, Duration limit);

  boost::asio::io_context& io_;
  KnownPids known_;
  std::vector<std::string> hand_;
  KernelLog log_;
  Turns hands_, debuggers_;
};

// What is to be known of the worker beside its evidence.
struct Departed {
  pid_t pid = 0;
  std::string program;                  // its path
  std::string directory;                // that it started in
  std::string library_path;             // LD_LIBRARY_PATH of its environment
  std::uint16_t port = 0;               // that it was to listen on; 0: none
  std::string socket;                   // the same of a Unix socket
  std::optional<Credentials> identity;  // absent: ours
  WallTime started{};
  LastStatus last;
  bool was_dump_cut = false;  // we killed it while the kernel still wrote its core
};

class PostMortem : public std::enable_shared_from_this<PostMortem> {
 public:
  PostMortem(std::shared_ptr<Coroner> coroner, Departed departed)
      : coroner_(std::move(coroner)), departed_(std::move(departed)) {}

  // Adds what there is: returns at once, or, where a file has something to tell that a diagnosis
  // needs, within 300 ms.
  boost::asio::awaitable<void> look(diagnosis::Evidence& evidence);

  // What more there is after that: nothing, or after up to some minutes, when others are looked at
  // first.
  boost::asio::awaitable<std::optional<diagnosis::Evidence>> look_longer();

 private:
  struct Inquiry;
  void read_kernel_log(diagnosis::Evidence& evidence) const;
  void find_holder(diagnosis::Evidence& evidence) const;
  std::optional<std::vector<std::string>> question(diagnosis::Evidence& evidence);
  std::string why_no_core() const;
  boost::asio::awaitable<void> ask_debugger(diagnosis::Evidence& found);
  boost::asio::awaitable<void> ask(std::shared_ptr<Inquiry> inquiry,
                                   std::vector<std::string> words);

  std::shared_ptr<Coroner> coroner_;
  Departed departed_;
  std::shared_ptr<Inquiry> inquiry_;  // under way, or answered
  bool was_told_ = false;             // by look()
  std::vector<std::string> core_words_;
};

}  // namespace poolwarden::process
