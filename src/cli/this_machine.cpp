#include "cli/this_machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace poolwarden::cli {
namespace {

std::uint64_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

// Absent without such a file, and when it says "max".
std::optional<std::uint64_t> number_in(const char* path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::uint32_t usable_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(CPU_COUNT(&cpus), 1));
}

}  // namespace

config::Machine this_machine() {
  config::Machine machine{physical_memory(), usable_cpus()};
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    const std::optional<std::uint64_t> limit = number_in(path);
    if (!limit) continue;
    const bool unknown = machine.memory_bytes == 0;
    machine.memory_bytes = unknown ? *limit : std::min(machine.memory_bytes, *limit);
  }
  return machine;
}

}  // namespace poolwarden::cli
