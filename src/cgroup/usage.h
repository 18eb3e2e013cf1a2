// What a cgroup has used, read from its files (cgroup-v2.rst, cgroup-v1/*.rst of the kernel's
// documentation). A value that this kernel or hierarchy does not tell is absent, never 0.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace poolwarden::cgroup {

using Count = std::optional<std::uint64_t>;

struct Pressure {  // microseconds; the `total` of some and full (PSI)
  Count waiting;
  Count stalled;
};

// How often processes were held at a limit.
struct LimitHits {
  // nr_periods, nr_throttled and the time of cpu.stat, which counts in cgroups with a quota only.
  Count cpu_periods, cpu_throttled_periods, cpu_throttled_usec;
  Count pids;  // forks that were refused
};

struct Usage {
  Count memory_current, memory_inactive_file, memory_anon, memory_swap, memory_peak;  // bytes
  Count memory_limit, memory_high;                                                    // bytes
  std::map<std::string, std::uint64_t> memory_events;  // low, high, max, oom, oom_kill, …
  Count cpu_user_usec, cpu_system_usec;
  std::optional<double> cpu_limit_cores;
  Count pids_current, pids_limit;
  LimitHits limit_hits;
  Pressure pressure_cpu, pressure_memory, pressure_io;
  Count io_read_bytes, io_written_bytes;
};

}  // namespace poolwarden::cgroup
