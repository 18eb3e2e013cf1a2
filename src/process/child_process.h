// A child from its clone to its end: everybody who starts a process here starts one of these.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/known_pids.h"
#include "process/last_status.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

class ChildProcess {
 public:
  // Clones before it returns; the error of that is the only one told here. `plan` may go, and its
  // descriptors may be closed, as soon as this has returned.
  static Result<std::unique_ptr<ChildProcess>> start(boost::asio::io_context& io,
                                                     const KnownPids& known,
                                                     const LaunchPlan& plan);

  // Kills and waits if the end has not been awaited.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const;

  // To be awaited once, first. nullopt: exec has succeeded, or the child was killed before it.
  boost::asio::awaitable<std::optional<diagnosis::NotStarted>> started();

  // To be awaited once, second, also when it has not started. The status is taken: the pid may be
  // somebody else's afterwards.
  boost::asio::awaitable<diagnosis::ExitStatus> ended();
  // What was to be seen before that; empty until then.
  const LastStatus& last() const;

  // To the child alone, or to its process group. Nothing happens once it has ended.
  void signal(int number);
  void signal_group(int number);

 private:
  struct Parts;
  explicit ChildProcess(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace poolwarden::process
