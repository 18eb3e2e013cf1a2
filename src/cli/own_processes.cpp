#include "cli/own_processes.h"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <string_view>

#include "loop/rethrow.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace

process::LaunchPlan OwnProcesses::plan(const std::string& command, int third, int fourth) const {
  process::LaunchPlan plan;
  plan.program = "/proc/self/exe";
  plan.arguments = {"poolwarden", command};
  plan.environment = own_environment();
  plan.descriptors = {{third, 3}, {fourth, 4}};
  plan.no_new_privileges = true;
  return plan;
}

Result<int> OwnProcesses::start_gateway(int link_fd, int scoreboard_fd, Exited exited) {
  process::LaunchPlan wanted = plan("gateway", link_fd, scoreboard_fd);
  wanted.identity = gateway_identity_;
  wanted.capabilities = 0;
  return start(std::move(wanted), std::move(exited));
}

Result<int> OwnProcesses::start_keeper(const std::vector<std::string>& arguments, int lifeline_fd,
                                       int lock_fd, Exited exited) {
  process::LaunchPlan wanted = plan("keeper", lifeline_fd, lock_fd);
  wanted.arguments.insert(wanted.arguments.end(), arguments.begin(), arguments.end());
  wanted.outlives_parent = true;
  return start(std::move(wanted), std::move(exited));
}

Result<int> OwnProcesses::start(process::LaunchPlan plan, Exited exited) {
  auto started = process::ChildProcess::start(io_, known_, plan);
  if (!started) return started.error();
  std::shared_ptr<process::ChildProcess> child = std::move(*started);
  const int pid = child->pid();
  running_[pid] = child;
  asio::co_spawn(
      io_,
      [](OwnProcesses& self, std::shared_ptr<process::ChildProcess> waited,
         Exited told) -> asio::awaitable<void> {
        const int its_pid = waited->pid();
        const auto not_started = co_await waited->started();
        const diagnosis::ExitStatus status = co_await waited->ended();
        self.running_.erase(its_pid);
        if (not_started) {
          told(*not_started);
        } else {
          told(status);
        }
      }(*this, child, std::move(exited)),
      loop::rethrow);
  return pid;
}

void OwnProcesses::kill(int pid) {
  if (const auto found = running_.find(pid); found != running_.end())
    found->second->signal(SIGKILL);
}

}  // namespace poolwarden::cli
