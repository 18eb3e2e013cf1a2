// What the settings of a pool say that will hurt here: names without a value, limits above what is
// granted, sums that lint has found.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/finding.h"
#include "doctor/check.h"
#include "doctor/host.h"
#include "process/launch_plan.h"
#include "worker/worker_settings.h"

namespace poolwarden::doctor {

// ${NAME} in command, directory and environment that becomes nothing.
Checks check_names(const worker::WorkerSettings& settings,
                   const std::map<std::string, std::string>& environment);

// The findings that are about this pool. `lint`: of the whole file.
Checks check_lint(const std::string& pool, const std::vector<config::Finding>& lint);

// What grants the limit of a worker's own process that `refused` names; empty: it names none.
std::string cure_of_rlimits(const process::LaunchPlan& plan, const std::string& refused,
                            const Host& host);

}  // namespace poolwarden::doctor
