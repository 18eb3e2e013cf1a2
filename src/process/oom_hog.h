// Has the kernel's OOM killer strike a worker within its own memory limit: for fire drills.

#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace poolwarden::process {

// Enters the cgroup, makes `victim` the one that the kernel prefers, and takes memory until it is
// gone. Blocks for as long as that takes, and stays in the cgroup: to be called in a process of its
// own, which is to end then. With cgroup v2 it may not return, for the whole cgroup is killed.
Result<void> provoke_oom_kill(const std::string& memory_cgroup, pid_t victim);

}  // namespace poolwarden::process
