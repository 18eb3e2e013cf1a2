#include "doctor/action_checks.h"

#include "doctor/program_checks.h"
#include "process/preflight.h"
#include "worker/worker_settings.h"

namespace poolwarden::doctor {

Checks check_action(const std::string& setting, const std::vector<std::string>& command,
                    const std::map<std::string, std::string>& environment) {
  if (command.empty()) return {};
  const std::string word = worker::expand(command.front(), environment);
  const auto program = process::find_program(word, environment, "");
  if (!program)
    return {problem(setting, program.error().message, "", "install it, or correct " + setting)};
  Checks wrong;
  for (Check& check : check_program({*program, "", environment, "`" + setting + "`"})) {
    if (check.outcome == Outcome::Ok) continue;
    check.subject = setting;
    wrong.push_back(std::move(check));
  }
  return wrong.empty() ? Checks{ok(setting, *program)} : wrong;
}

}  // namespace poolwarden::doctor
