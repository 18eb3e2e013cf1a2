// What a worker uses, and how it answers when it is asked whether it is well.

#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace poolwarden::worker {

// A value that this machine does not tell is absent, never 0.
struct Usage {
  // Bytes of its whole tree that cannot be taken back at no cost: of its cgroup, without inactive
  // page cache; without a cgroup, what /proc says.
  std::optional<std::uint64_t> memory;
  std::optional<std::uint64_t> virtual_memory;  // bytes of address space, of the largest process

  std::optional<std::uint64_t> processes;  // of its tree
  // Of its whole tree since it began. Without a cgroup it goes back when a process ends that has
  // lost its parent.
  std::optional<Duration> cpu_time;
  // For how long it had used up its cpu limit, in whole periods of its cgroup.
  std::optional<Duration> throttled;
  std::optional<bool> is_contained;  // whether its cgroup still holds it
};

enum class PingResult {
  Answered,
  TimedOut,
  BadStatus,  // 400 and above
  Io,         // no connection, or it broke
};

struct PingAnswer {
  PingResult result = PingResult::Answered;
  Duration took{};  // none where the worker says by itself that it is well
  int status = 0;   // of HTTP; 0: it gave none
};

}  // namespace poolwarden::worker
