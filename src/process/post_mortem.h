// Looks closer at a worker that has ended: what can be had without waiting at once, what is on the
// disk by way of a process of our own, and where it stood by a debugger in another one. Neither the
// supervision thread nor the worker's successor waits for a disk.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "diagnosis/evidence.h"
#include "process/coroner.h"
#include "process/last_status.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

// For so long the kernel may write at the core of a worker that is to be killed.
inline constexpr std::chrono::seconds kLongestDump{10};

// What is to be known of the worker beside its evidence.
struct Departed {
  pid_t pid = 0;
  std::string program;                        // its path
  std::string directory;                      // that it started in
  std::string library_path;                   // LD_LIBRARY_PATH of its environment
  std::uint16_t port = 0;                     // that it was to listen on; 0: none
  std::string socket;                         // the same of a Unix socket
  std::optional<Credentials> identity;        // absent: ours
  std::optional<std::uint64_t> capabilities;  // LaunchPlan's
  WallTime started{};
  std::uint64_t log_end = 0;  // of the kernel's log, before it started
  LastStatus last;
  std::string why_dump_cut;  // we killed it "when …", while the kernel still wrote its core
};

class PostMortem : public std::enable_shared_from_this<PostMortem> {
 public:
  PostMortem(std::shared_ptr<Coroner> coroner, Departed departed)
      : coroner_(std::move(coroner)), departed_(std::move(departed)) {}

  // Adds what there is: returns at once, or, where a file has something to tell that a diagnosis
  // needs, within 300 ms.
  boost::asio::awaitable<void> look(diagnosis::Evidence& evidence);

  // What more there is after that, where `is_more_to_come`: after up to some minutes, when others
  // are looked at first.
  boost::asio::awaitable<diagnosis::Evidence> look_longer();

 private:
  struct Inquiry;
  void read_kernel_log(diagnosis::Evidence& evidence) const;
  std::uint64_t capabilities_of_worker() const;
  Rights rights() const;
  std::optional<std::vector<std::string>> question(diagnosis::Evidence& evidence);
  std::vector<std::string> core_question(const diagnosis::Signaled& struck) const;
  std::optional<std::vector<std::string>> port_question(const diagnosis::Evidence& evidence) const;
  std::string why_no_core() const;
  boost::asio::awaitable<void> ask_debugger(diagnosis::Evidence& found);
  boost::asio::awaitable<void> ask(std::shared_ptr<Inquiry> inquiry, std::vector<std::string> words,
                                   Rights rights);

  std::shared_ptr<Coroner> coroner_;
  Departed departed_;
  std::shared_ptr<Inquiry> inquiry_;  // under way, or answered
  bool was_told_ = false;             // by look()
  std::vector<std::string> core_words_;
};

}  // namespace poolwarden::process
