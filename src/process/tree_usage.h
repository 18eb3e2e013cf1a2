// What the processes of a worker use, asked of each of them in /proc: where no cgroup counts it.

#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/clock.h"
#include "process/process_table.h"
#include "worker/usage.h"

namespace poolwarden::process {

// memory: resident pages that are not shared, summed up; virtual_memory: of the largest. Absent
// when none of them is there any more.
worker::Usage usage_of(const std::vector<pid_t>& pids);

// CPU time that they, and those of their children that have ended, have used. Absent when none of
// them is there any more.
std::optional<Duration> cpu_time_of(const std::vector<pid_t>& pids);

// The processes of this machine, read anew at most four times a second: with many workers and
// without cgroups, all ask for them at the same time.
class RecentProcesses {
 public:
  // The root with its session, and all their descendants; without those that left both.
  std::vector<pid_t> tree_of(pid_t root, TimePoint now);

 private:
  std::vector<ProcessEntry> entries_;
  TimePoint read_{};
};

}  // namespace poolwarden::process
