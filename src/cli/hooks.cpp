#include "cli/hooks.h"

#include "process/hook.h"

namespace poolwarden::cli {

using pool::EventKind;

void Hooks::run(const pool::RunHook& hook) {
  const std::string pool = hook.environment.at("POOLWARDEN_POOL");
  telling_.tell({EventKind::HookStarted, pool, std::nullopt, hook.name + " is run",
                 pool::HookDetails{hook.name}});
  process::HookCommand command{hook.command, hook.environment};
  command.on_output = [this, name = hook.name](bool, const std::string& line) {
    telling_.journal().log(pool::Level::Info, name + ": " + line);
  };
  ++running_;
  process::run_hook(io_, known_, std::move(command),
                    [this, pool, name = hook.name](const Result<diagnosis::ExitStatus>& ended) {
                      has_ended(pool, name, ended);
                      if (--running_ == 0) ended_();
                    });
}

void Hooks::has_ended(const std::string& pool, const std::string& hook,
                      const Result<diagnosis::ExitStatus>& ended) {
  if (ended && *ended == diagnosis::ExitStatus(diagnosis::Exited{0})) return;
  const std::string how = ended ? describe(*ended) : ended.error().message;
  telling_.tell(
      {EventKind::HookFailed, pool, std::nullopt, hook + " " + how, pool::HookDetails{hook}});
}

}  // namespace poolwarden::cli
