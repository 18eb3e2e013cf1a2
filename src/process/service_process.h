// A process of our own beside the workers: the gateway, or a child that waits for the kernel where
// the supervision thread may not.

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/child_process.h"

namespace poolwarden::process {

// This program again with other arguments (after argument 0), as `user` where we may become it,
// without capabilities or any way to new ones. Standard output and error are ours.
Result<LaunchPlan> plan_service(std::vector<std::string> arguments,
                                const std::optional<std::string>& user,
                                std::vector<PassedFd> descriptors);

class ServiceProcess {
 public:
  explicit ServiceProcess(std::shared_ptr<ChildProcess> child, std::shared_ptr<bool> wanted);
  // As kill(); its end is not told any more.
  ~ServiceProcess();
  ServiceProcess(const ServiceProcess&) = delete;
  ServiceProcess& operator=(const ServiceProcess&) = delete;

  pid_t pid() const { return child_->pid(); }
  void signal(int number) { child_->signal(number); }
  // With what it has forked.
  void kill();

 private:
  std::shared_ptr<ChildProcess> child_;
  std::shared_ptr<bool> wanted_;
};

// `on_exit` is called once, never from within this call; also, with NotStarted, when it could not
// be executed.
Result<std::unique_ptr<ServiceProcess>> start_service(
    boost::asio::io_context& io, const KnownPids& known, const LaunchPlan& plan,
    std::function<void(const diagnosis::ExitStatus&)> on_exit);

}  // namespace poolwarden::process
