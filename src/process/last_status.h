// What the kernel still knows of a child that has ended and whose status nobody has taken yet; the
// wait for it takes all of that away.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace poolwarden::process {

// One line of /proc/PID/limits; absent: unlimited.
struct ResourceLimit {
  std::optional<std::uint64_t> soft, hard;
};

struct LastStatus {
  Duration cpu_user{}, cpu_system{};        // with the children that it had waited for
  Duration ticked_cpu{};                    // of its threads alone: what RLIMIT_CPU counts
  std::optional<ResourceLimit> cpu_limit;   // seconds; absent: not known
  std::optional<ResourceLimit> core_limit;  // bytes
  std::optional<ResourceLimit> file_limit;  // bytes of a file
};

// Of a child that is a zombie; empty of any other process. Never waits.
LastStatus last_status(pid_t pid);

// Whether the kernel had to end it for RLIMIT_CPU, whose hard limit is a bare SIGKILL
// (getrlimit(2)).
bool is_over_cpu_limit(const LastStatus& status);

// Whether it had met the soft limit, for which the kernel sends SIGXCPU.
bool is_over_soft_cpu_limit(const LastStatus& status);

// `name` as in the first column of /proc/PID/limits; absent when there is no such line.
std::optional<ResourceLimit> find_limit(const std::string& limits, const std::string& name);

}  // namespace poolwarden::process
