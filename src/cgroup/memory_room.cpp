#include "cgroup/memory_room.h"

#include <unistd.h>

#include <algorithm>

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

// The files of one version's memory controller.
struct Files {
  const char* limit;
  const char* current;
  const char* inactive;  // key of memory.stat
};
constexpr Files kV1 = {"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};
constexpr Files kV2 = {"/memory.max", "/memory.current", "inactive_file"};

std::optional<std::uint64_t> used_in(const std::string& path, const Files& files) {
  const auto current = read_count(path + files.current);
  if (!current) return std::nullopt;
  const std::uint64_t idle = read_key(path + "/memory.stat", files.inactive).value_or(0);
  return *current - std::min(idle, *current);
}

void narrow(MemoryRoom& room, std::optional<std::uint64_t> limit, const std::string& path,
            const Files& files) {
  if (!limit || *limit == 0 || *limit >= room.total) return;
  room = {*limit, used_in(path, files)};
}

MemoryRoom of_machine(const std::string& meminfo) {
  const auto total = read_meminfo(meminfo, "MemTotal");
  const auto available = read_meminfo(meminfo, "MemAvailable");
  if (!total) {
    const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
    return {pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)), std::nullopt};
  }
  if (!available) return {*total, std::nullopt};
  return {*total, *total - std::min(*available, *total)};
}

}  // namespace

MemoryRoom memory_room(const std::vector<Hierarchy>& hierarchies, const std::string& meminfo) {
  MemoryRoom room = of_machine(meminfo);
  for (const Hierarchy& hierarchy : hierarchies) {
    std::string path = hierarchy.own.path;
    if (hierarchy.own.has("memory") && !hierarchy.own.unified) {
      narrow(room, read_count(path + kV1.limit), path, kV1);
      narrow(room, read_key(path + "/memory.stat", "hierarchical_memory_limit"), path, kV1);
    }
    if (!hierarchy.own.unified) continue;
    while (path.starts_with(hierarchy.mount)) {
      narrow(room, read_count(path + kV2.limit), path, kV2);
      path.resize(path.rfind('/'));
    }
  }
  return room;
}

}  // namespace poolwarden::cgroup
