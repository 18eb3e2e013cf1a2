// The processes that are this program too: the gateway and the keeper. Each is started from
// /proc/self/exe, so that it is the same build, whoever may read the file's directory.

#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/child_process.h"
#include "process/known_pids.h"
#include "process/launch_plan.h"

namespace poolwarden::cli {

class OwnProcesses {
 public:
  using Exited = std::function<void(const diagnosis::ExitStatus&)>;

  // `gateway_identity`: who the gateway runs as; absent where we may not change it.
  OwnProcesses(boost::asio::io_context& io, process::KnownPids& known,
               std::optional<process::Credentials> gateway_identity)
      : io_(io), known_(known), gateway_identity_(std::move(gateway_identity)) {}

  // The descriptors become 3 and 4 of the new process; `exited` is called once, later.
  Result<int> start_gateway(int link_fd, int scoreboard_fd, Exited exited);
  Result<int> start_keeper(const std::vector<std::string>& arguments, int lifeline_fd, int lock_fd,
                           Exited exited);
  void kill(int pid);

 private:
  Result<int> start(process::LaunchPlan plan, Exited exited);
  process::LaunchPlan plan(const std::string& command, int third, int fourth) const;

  boost::asio::io_context& io_;
  process::KnownPids& known_;
  std::optional<process::Credentials> gateway_identity_;
  std::map<int, std::shared_ptr<process::ChildProcess>> running_;
};

}  // namespace poolwarden::cli
