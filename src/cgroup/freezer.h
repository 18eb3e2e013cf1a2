// Stopping the processes of a cgroup where they stand, and letting them run again.

#pragma once

#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

// Those too that are being forked. They stand still a moment after this returns: at once, but for
// one that is in the midst of a system call. Errors: no hierarchy in use can do it.
Result<void> freeze(const std::vector<Group>& groups);

// No harm when they are not frozen.
void thaw(const std::vector<Group>& groups);

}  // namespace poolwarden::cgroup
