// Being told by the kernel that a cgroup's memory grows, in place of asking it all the time.

#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"
#include "loop/unique_fd.h"

namespace poolwarden::cgroup {

// A descriptor that becomes readable, and is to be read empty, when it is worth looking at the
// memory again. v1: each time that what the cgroup holds, page cache included, passes `bytes`, up
// or down. v2 knows no such mark: when the cgroup was held at its memory_high or its limit; without
// either it is an error.
Result<loop::UniqueFd> open_memory_notice(const std::vector<Group>& groups, std::uint64_t bytes);

}  // namespace poolwarden::cgroup
