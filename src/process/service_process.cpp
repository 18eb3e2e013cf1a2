#include "process/service_process.h"

#include <boost/asio/co_spawn.hpp>
#include <csignal>

#include "loop/rethrow.h"
#include "process/credentials.h"
#include "process/privileges.h"
#include "process/worker_environment.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

asio::awaitable<void> follow(std::shared_ptr<ChildProcess> child, std::shared_ptr<bool> wanted,
                             std::function<void(const diagnosis::ExitStatus&)> on_exit) {
  const auto failed = co_await child->started();
  diagnosis::ExitStatus status = co_await child->ended();
  if (failed) status = *failed;
  if (*wanted) on_exit(status);
}

}  // namespace

Result<LaunchPlan> plan_service(std::vector<std::string> arguments,
                                const std::optional<std::string>& user,
                                std::vector<PassedFd> descriptors) {
  LaunchPlan plan;
  plan.program = "/proc/self/exe";
  plan.arguments = std::move(arguments);
  plan.arguments.insert(plan.arguments.begin(), "poolwarden");
  plan.environment = inherited_environment();
  plan.descriptors = std::move(descriptors);
  plan.no_new_privileges = true;
  plan.capabilities = 0;
  if (user && may_run_others(own_privileges())) {
    worker::Identity identity;
    identity.user = user;
    auto account = find_account(identity);
    if (!account) return account.error();
    plan.identity = std::move(account->credentials);
  }
  return plan;
}

ServiceProcess::ServiceProcess(std::shared_ptr<ChildProcess> child, std::shared_ptr<bool> wanted)
    : child_(std::move(child)), wanted_(std::move(wanted)) {}

ServiceProcess::~ServiceProcess() {
  *wanted_ = false;
  kill();
}

void ServiceProcess::kill() {
  child_->signal_group(SIGKILL);  // it fails before the child has its session
  child_->signal(SIGKILL);
}

Result<std::unique_ptr<ServiceProcess>> start_service(
    asio::io_context& io, const KnownPids& known, const LaunchPlan& plan,
    std::function<void(const diagnosis::ExitStatus&)> on_exit) {
  auto started = ChildProcess::start(io, known, plan);
  if (!started) return started.error();
  const std::shared_ptr<ChildProcess> child = std::move(*started);
  const auto wanted = std::make_shared<bool>(true);
  asio::co_spawn(io, follow(child, wanted, std::move(on_exit)), loop::rethrow);
  return std::make_unique<ServiceProcess>(child, wanted);
}

}  // namespace poolwarden::process
