// From what the configuration says about a worker to what its child has to do.

#pragma once

#include <boost/system/result.hpp>

#include "cgroup/limits.h"
#include "diagnosis/exit_status.h"
#include "process/credentials.h"
#include "process/launch_plan.h"
#include "process/worker_environment.h"

namespace poolwarden::process {

// What comes before a clone fails in the words of a start that failed.
template <typename T>
using Attempt = boost::system::result<T, diagnosis::NotStarted>;

diagnosis::NotStarted not_started(diagnosis::SpawnStage stage, const Error& error);

// The limits that a cgroup enforces. Percentages are of `available` bytes. `affinity`:
// LaunchPlan's.
cgroup::LimitValues cgroup_limits(const worker::Limits& limits, std::uint64_t available,
                                  const std::optional<cpu_set_t>& affinity = {});

// All but cgroup and descriptors, for the worker of that slot. ${NAME} in command and directory is
// replaced. `wrapper`: a path and arguments of the program that is run in place of the command, and
// gets it as its last arguments.
Attempt<LaunchPlan> plan_worker(const worker::WorkerSettings& settings, std::uint32_t slot,
                                const Account& account, Environment environment,
                                std::uint64_t available,
                                const std::vector<std::string>& wrapper = {});

}  // namespace poolwarden::process
