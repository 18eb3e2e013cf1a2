// What a worker may use, written into the files of its cgroup.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

inline constexpr std::uint64_t kCpuPeriod = 100'000;     // microseconds, the kernel's own default
inline constexpr std::uint64_t kDefaultCpuWeight = 100;  // the kernel's own

struct LimitValues {
  std::optional<std::uint64_t> memory = {};       // bytes, with swap: going over kills
  std::optional<std::uint64_t> memory_high = {};  // bytes; going over slows down
  std::optional<double> cpu_cores = {};
  std::optional<std::uint64_t> cpu_weight =
      {};  // 1 to 10000, of kDefaultCpuWeight; its pool's, too
  std::optional<std::uint64_t> pids = {};
  std::optional<std::string> cpus = {};  // those it may run on, as cpuset(7) writes them
};

struct AppliedLimits {
  std::vector<Error> failed;  // one for each limit that cannot be enforced: its name and the file
  std::vector<std::string> weakened;  // limits that hold, but not as they should; one sentence each
};

// `meminfo`: /proc/meminfo, or a test's.
AppliedLimits apply_limits(const std::vector<Group>& groups, const LimitValues& limits,
                           const std::string& meminfo = "/proc/meminfo");

}  // namespace poolwarden::cgroup
