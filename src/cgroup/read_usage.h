// Reads what a cgroup has used from the files of each hierarchy that it is in.

#pragma once

#include <vector>

#include "cgroup/hierarchy.h"
#include "cgroup/usage.h"

namespace poolwarden::cgroup {

Usage read_usage(const std::vector<Group>& groups);

// Bytes that cannot be taken back at no cost: what the cgroup holds, without inactive page cache.
// Reads two files; the cheap part of read_usage() for those who ask often.
Count read_working_set(const std::vector<Group>& groups);

// CPU time of user and system, microseconds.
Count read_cpu_time(const std::vector<Group>& groups);

// For how long the cgroup had used up its quota of CPU, in whole periods; microseconds.
Count read_throttled(const std::vector<Group>& groups);

Count read_memory_limit(const std::vector<Group>& groups);

// How often the kernel's OOM killer struck among the processes of the cgroup and those below it;
// absent where no file tells. v1 counts for each cgroup apart, and forgets with it.
Count read_oom_kills(const std::vector<Group>& groups);

// The same of one cgroup whose v1 count leaves out those below it: for one that may hold many.
Count read_own_oom_kills(const std::vector<Group>& groups);

}  // namespace poolwarden::cgroup
