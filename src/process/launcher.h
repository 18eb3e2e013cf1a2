// Clones a child straight into its cgroup, without a race between pid and pidfd, and returns at
// once: how the exec went is read from the report pipe. Boost.Process v2 (1.81) is of no use here:
// its launchers leave a zombie when exec fails, tell only an errno, and wait for the exec.
//
// To be used on one thread only, which must outlive the children: PR_SET_PDEATHSIG follows the
// death of the thread that cloned, not of its process.

#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "loop/unique_fd.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

struct Launched {
  pid_t pid = 0;
  loop::UniqueFd pidfd;
  loop::UniqueFd report;  // a ChildReport, or nothing but its end once exec has succeeded
};

// `plan` may go, and its descriptors may be closed, as soon as this has returned.
Result<Launched> launch(const LaunchPlan& plan);

}  // namespace poolwarden::process
