#include "process/hook.h"

#include <fcntl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "loop/rethrow.h"
#include "process/child_process.h"
#include "process/output_capture.h"
#include "process/preflight.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using Done = std::function<void(Result<diagnosis::ExitStatus>)>;

struct Hook {
  std::shared_ptr<OutputCapture> output;
  std::unique_ptr<ChildProcess> child;
};

Result<Hook> start(asio::io_context& io, const KnownPids& known, const HookCommand& command) {
  LaunchPlan plan;
  plan.environment = inherited_environment();
  for (const auto& [name, value] : command.environment) plan.environment[name] = value;
  for (const std::string& argument : command.arguments)
    plan.arguments.push_back(worker::expand(argument, plan.environment));
  const std::string name = plan.arguments.empty() ? "" : plan.arguments.front();
  auto program = find_program(name, plan.environment, "");
  if (!program) return program.error();
  plan.program = std::move(*program);
  auto output = OutputCapture::make(
      io, command.on_output ? command.on_output : [](bool, const std::string&) {});
  if (!output) return output.error();
  const loop::UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) return errno_error(errno, "cannot open /dev/null");
  plan.descriptors = {
      {nothing.get(), 0}, {(*output)->child_stdout(), 1}, {(*output)->child_stderr(), 2}};
  auto child = ChildProcess::start(io, known, plan);
  (*output)->close_child_ends();
  if (!child) return child.error();
  return Hook{std::move(*output), std::move(*child)};
}

asio::awaitable<void> kill_late(std::shared_ptr<asio::steady_timer> timer,
                                std::shared_ptr<ChildProcess> child) {
  const auto [error] = co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
  // A group's id is not given away while the child has not been waited for.
  if (!error) child->signal_group(SIGKILL);
}

asio::awaitable<void> run(asio::io_context& io, KnownPids known, HookCommand command, Done done) {
  auto hook = start(io, known, command);
  if (!hook) {
    done(hook.error().because("cannot run the action"));
    co_return;
  }
  const std::shared_ptr<ChildProcess> child = std::move(hook->child);
  hook->output->start();
  const auto timer = std::make_shared<asio::steady_timer>(io, command.timeout);
  asio::co_spawn(io, kill_late(timer, child), loop::rethrow);
  const auto failed = co_await child->started();
  diagnosis::ExitStatus status = co_await child->ended();
  if (failed) status = *failed;
  timer->cancel();
  hook->output->drain();
  done(std::move(status));
}

}  // namespace

void run_hook(asio::io_context& io, const KnownPids& known, HookCommand command, Done done) {
  asio::co_spawn(io, run(io, known, std::move(command), std::move(done)), loop::rethrow);
}

}  // namespace poolwarden::process
