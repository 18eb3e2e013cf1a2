// What a worker may use, written into the files of its cgroup.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

struct LimitValues {
  std::optional<std::uint64_t> memory;       // bytes, with swap: going over kills
  std::optional<std::uint64_t> memory_high;  // bytes; going over slows down
  std::optional<double> cpu_cores;
  std::optional<std::uint64_t> pids;
};

// One error for each limit that cannot be enforced, naming the limit and the file.
std::vector<Error> apply_limits(const std::vector<Group>& groups, const LimitValues& limits);

}  // namespace poolwarden::cgroup
