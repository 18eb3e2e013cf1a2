// The processes beside the workers that are this program too: the gateway, the keeper that outlives
// a supervisor which is killed, and the hand of a drill.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "loop/unique_fd.h"
#include "process/service_process.h"
#include "supervisor/gateway_link.h"

namespace poolwarden::cli {

class Companions {
 public:
  Companions(boost::asio::io_context& io, process::KnownPids known, std::string gateway_user);

  // For supervisor::Seams.
  Result<int> launch_gateway(int link_fd, int scoreboard_fd,
                             std::function<void(const diagnosis::ExitStatus&)> exited);
  void kill(int pid);

  // Starts `drill-hand` with these words; `ended` gets its complaint, empty when it has done it.
  Result<std::function<void()>> start_drill_hand(
      std::vector<std::string> words, std::function<void(const std::string& complaint)> ended);

  // Starts a process by this plan, with descriptor 3 for its complaint; `ended` gets that.
  Result<std::function<void()>> start_hand(process::LaunchPlan plan,
                                           std::function<void(const std::string& complaint)> ended);

  // Keeps a keeper running until stop_keeper(): it holds `lock_fd`, and ends what is called `name`
  // (cgroup) and `runtime_directory` when we are gone without having stopped it.
  Result<void> start_keeper(std::string name, std::string runtime_directory, int lock_fd);
  void stop_keeper();

 private:
  Result<int> start(const process::LaunchPlan& plan,
                    std::function<void(const diagnosis::ExitStatus&)> exited);
  Result<std::function<void()>> start_complaining(
      process::LaunchPlan plan, bool may_be_killed,
      std::function<void(const std::string& complaint)> ended);
  Result<void> launch_keeper();

  boost::asio::io_context& io_;
  process::KnownPids known_;
  std::string gateway_user_;
  std::map<int, std::unique_ptr<process::ServiceProcess>> running_;
  boost::asio::steady_timer keeper_pause_;
  loop::UniqueFd lifeline_;  // closes with this process, and tells the keeper so
  loop::UniqueFd keeper_end_;
  std::vector<std::string> keeper_arguments_;
  int lock_fd_ = -1;
  int keeper_pid_ = 0;
};

}  // namespace poolwarden::cli
