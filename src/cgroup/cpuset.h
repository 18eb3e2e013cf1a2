// The CPUs that the processes of a cgroup may run on: unlike sched_setaffinity(2), nothing that a
// worker can change (cpuset(7); "Cpuset" of cgroup-v2.rst).

#pragma once

#include <string>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

// v1 makes a cpuset without CPUs and memory nodes, and lets no process in before it has some: this
// gives it those of the cgroup above. Nothing is to be done for other cgroups.
Result<void> inherit_cpuset(const Group& group);

// `cpus`: a list of cpuset(7), "0-1,4". Errors: v1 takes only CPUs that the cgroup above has.
Result<void> restrict_cpus(const Group& group, const std::string& cpus);

// What is to be said where a worker is bound to its CPUs by sched_setaffinity(2) alone.
std::string only_affinity(const Error& why);

// Whether its hierarchy is for cpusets alone.
bool is_only_cpuset(const Group& group);

}  // namespace poolwarden::cgroup
