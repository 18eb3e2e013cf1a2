// How much memory there is for all of us: the least limit of our own cgroup and those above it,
// else the machine's, and how much of it is taken.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

struct MemoryRoom {
  std::uint64_t total = 0;  // bytes
  // Bytes of it that cannot be taken back at no cost: inactive page cache does not count.
  std::optional<std::uint64_t> used;
};

// `meminfo`: /proc/meminfo, or a test's.
MemoryRoom memory_room(const std::vector<Hierarchy>& hierarchies,
                       const std::string& meminfo = "/proc/meminfo");

}  // namespace poolwarden::cgroup
