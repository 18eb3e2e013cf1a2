// How often a worker met the limits of its cgroup, and what the kernel did about it: told by
// memory.events and memory.events.local, pids.events (cgroup-v2.rst), or by failcnt and oom_control
// of v1 (cgroup-v1/memory.rst).

#pragma once

#include <cstdint>
#include <vector>

#include "cgroup/hierarchy.h"
#include "cgroup/usage.h"

namespace poolwarden::cgroup {

// Since the cgroup was made. What no file tells is 0.
struct LeafTrouble {
  // Processes that the kernel's OOM killer ended, of this cgroup and those below, whosever limit
  // was met.
  std::uint64_t oom_kills = 0;
  // How often memory ran out at the limit of this very cgroup. 0 with oom_kills: it was another
  // one's, above or below. v1 cannot tell running out from page cache that made room in time, and
  // counts both; on some kernels it only tells whether there was one.
  std::uint64_t own_limit_hits = 0;
  std::uint64_t limit_hits_below = 0;    // the same of cgroups that the worker made for itself
  std::uint64_t group_kills = 0;         // memory.oom.group: all of it was ended together; v2 only
  std::uint64_t pids_limit_hits = 0;     // forks that were refused for pids.max
  std::uint64_t memory_high_events = 0;  // how often it was slowed down at memory.high; v2 only
  bool operator==(const LeafTrouble&) const = default;
};

LeafTrouble read_trouble(const std::vector<Group>& groups);

// How often memory ran out at the limits of the cgroups above, as far up as they are to be seen,
// for v1, where own_limit_hits alone does not tell whose limit it was: both may have been met.
// Where the kernel counts nothing, how many of them were ever filled to the brim. 0 with v2.
std::uint64_t read_limit_hits_above(const std::vector<Group>& groups);

// Forks that were refused for pids.max of this very cgroup, or before Linux 6.11 (and on v1) in it
// for any limit; absent where no file tells.
Count read_refused_forks(const Group& group);

}  // namespace poolwarden::cgroup
