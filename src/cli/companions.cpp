#include "cli/companions.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace poolwarden::cli {

namespace asio = boost::asio;

Companions::Companions(asio::io_context& io, process::KnownPids known, std::string gateway_user)
    : io_(io),
      known_(std::move(known)),
      gateway_user_(std::move(gateway_user)),
      keeper_pause_(io) {}

Result<int> Companions::start(const process::LaunchPlan& plan,
                              std::function<void(const diagnosis::ExitStatus&)> exited) {
  auto pid = std::make_shared<int>(0);
  auto started = process::start_service(
      io_, known_, plan,
      [this, pid, told = std::move(exited)](const diagnosis::ExitStatus& status) {
        const auto ended = running_.extract(*pid);  // stays until this call is over
        told(status);
      });
  if (!started) return started.error();
  *pid = (*started)->pid();
  running_[*pid] = std::move(*started);
  return *pid;
}

Result<int> Companions::launch_gateway(int link_fd, int scoreboard_fd,
                                       std::function<void(const diagnosis::ExitStatus&)> exited) {
  auto plan = process::plan_service({"gateway"}, gateway_user_, {{link_fd, 3}, {scoreboard_fd, 4}});
  if (!plan) return plan.error();
  return start(*plan, std::move(exited));
}

void Companions::kill(int pid) {
  if (const auto found = running_.find(pid); found != running_.end()) found->second->kill();
}

Result<std::function<void()>> Companions::start_drill_hand(
    std::vector<std::string> words, std::function<void(const std::string& complaint)> ended) {
  const bool may_be_killed = !words.empty() && words.front() == "oom";
  words.insert(words.begin(), "drill-hand");
  auto plan = process::plan_service(std::move(words), std::nullopt, {});
  if (!plan) return plan.error();
  plan->capabilities.reset();  // it has to reach workers of any user, as we do
  return start_complaining(std::move(*plan), may_be_killed, std::move(ended));
}

Result<std::function<void()>> Companions::start_hand(
    process::LaunchPlan plan, std::function<void(const std::string& complaint)> ended) {
  return start_complaining(std::move(plan), false, std::move(ended));
}

Result<std::function<void()>> Companions::start_complaining(
    process::LaunchPlan plan, bool may_be_killed,
    std::function<void(const std::string& complaint)> ended) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno_error(errno, "cannot make a pipe");
  const auto complaint = std::make_shared<loop::UniqueFd>(ends[0]);
  const loop::UniqueFd writing_end(ends[1]);
  plan.descriptors.push_back({writing_end.get(), 3});
  auto started = start(plan, [complaint, may_be_killed,
                              told = std::move(ended)](const diagnosis::ExitStatus& status) {
    char text[4096];
    const ssize_t size = ::read(complaint->get(), text, sizeof text);
    if (size > 0) return told(std::string(text, static_cast<std::size_t>(size)));
    // The OOM killer may take it along with the worker.
    const auto* struck = std::get_if<diagnosis::Signaled>(&status);
    const bool is_done = status == diagnosis::ExitStatus(diagnosis::Exited{0}) ||
                         (may_be_killed && struck && struck->signal == SIGKILL);
    told(is_done ? "" : "its process " + describe(status));
  });
  if (!started) return started.error();
  return std::function<void()>([this, pid = *started] { kill(pid); });
}

Result<void> Companions::start_keeper(std::string name, std::string runtime_directory,
                                      int lock_fd) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error(errno, "cannot make a pipe");
  keeper_end_.reset(ends[0]);
  lifeline_.reset(ends[1]);
  keeper_arguments_ = {"keeper", std::move(name), std::move(runtime_directory)};
  lock_fd_ = lock_fd;
  return launch_keeper();
}

Result<void> Companions::launch_keeper() {
  auto plan = process::plan_service(keeper_arguments_, std::nullopt,
                                    {{keeper_end_.get(), 3}, {lock_fd_, 4}});
  if (!plan) return plan.error();
  plan->capabilities.reset();  // it has to end workers of any user, as we do
  plan->outlives_parent = true;
  auto started = start(*plan, [this](const diagnosis::ExitStatus&) {
    if (keeper_pid_ == 0) return;
    keeper_pause_.expires_after(std::chrono::seconds(1));
    keeper_pause_.async_wait([this](const boost::system::error_code& error) {
      if (!error) (void)launch_keeper();
    });
  });
  if (!started) return started.error().because("cannot start the keeper");
  keeper_pid_ = *started;
  return {};
}

void Companions::stop_keeper() {
  const int pid = std::exchange(keeper_pid_, 0);
  keeper_pause_.cancel();
  kill(pid);
}

}  // namespace poolwarden::cli
