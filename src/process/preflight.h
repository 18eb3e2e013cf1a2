// What an errno of exec does not tell: which of the files involved is missing or forbidden.

#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "diagnosis/exit_status.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

// The program that `command` names: searched for in the PATH of `environment` when it has no slash.
// `directory` is the worker's, which relative entries of PATH refer to.
Result<std::string> find_program(const std::string& command,
                                 const std::map<std::string, std::string>& environment,
                                 const std::string& directory);

// "/srv/run.py (its interpreter /usr/bin/pyton3 does not exist)"; only the path when nothing more
// is found.
struct ExecFailure {
  std::string subject;
  diagnosis::Obstacle obstacle = diagnosis::Obstacle::None;
};
ExecFailure explain_exec_failure(const std::string& program, int error, const LaunchPlan& plan);

}  // namespace poolwarden::process
