#include "cgroup/events.h"

#include <algorithm>
#include <map>
#include <string>

#include "cgroup/kernel_files.h"
#include "cgroup/read_usage.h"

namespace poolwarden::cgroup {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

std::uint64_t count_of(const Counts& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

// The events of this cgroup alone. Before Linux 5.2 (pids: 6.11) there is only the file that counts
// those below, too.
Counts own_events(const std::string& path) {
  Counts own = read_keyed(path + ".local");
  return own.empty() ? read_keyed(path) : own;
}

void read_memory_events(const Group& group, LeafTrouble& trouble) {
  const Counts all = read_keyed(group.path + "/memory.events");
  const Counts own = own_events(group.path + "/memory.events");
  trouble.oom_kills = count_of(all, "oom_kill");
  trouble.own_limit_hits = count_of(own, "oom");
  // Read one after the other: the second may know of more.
  trouble.limit_hits_below =
      count_of(all, "oom") - std::min(count_of(all, "oom"), trouble.own_limit_hits);
  trouble.group_kills = count_of(own, "oom_group_kill");
  trouble.memory_high_events = count_of(own, "high");
}

// `counter`: "/memory" or "/memory.memsw".
std::uint64_t refused_charges(const std::string& path, const std::string& counter) {
  const std::uint64_t counted = read_count(path + counter + ".failcnt").value_or(0);
  if (counted > 0) return counted;
  // Linux 6.18 has the file and counts nothing. Whoever was filled to the brim was refused more.
  const auto peak = read_count(path + counter + ".max_usage_in_bytes");
  const auto limit = read_count(path + counter + ".limit_in_bytes");
  return peak && limit && *peak >= *limit ? 1 : 0;
}

std::uint64_t refused_charges(const std::string& path) {
  return refused_charges(path, "/memory") + refused_charges(path, "/memory.memsw");
}

std::uint64_t refused_charges_below(const std::string& path) {
  std::uint64_t refused = 0;
  for (const std::string& below : subdirectories(path))
    refused += refused_charges(below) + refused_charges_below(below);
  return refused;
}

}  // namespace

LeafTrouble read_trouble(const std::vector<Group>& groups) {
  LeafTrouble trouble;
  if (const Group* memory = having(groups, "memory"); memory && memory->unified) {
    read_memory_events(*memory, trouble);
  } else if (memory) {
    trouble.oom_kills = read_oom_kills(groups).value_or(0);
    trouble.own_limit_hits = refused_charges(memory->path);
    trouble.limit_hits_below = refused_charges_below(memory->path);
  }
  if (const Group* pids = having(groups, "pids"))
    trouble.pids_limit_hits = read_refused_forks(*pids).value_or(0);
  return trouble;
}

std::uint64_t read_limit_hits_above(const std::vector<Group>& groups) {
  const Group* memory = having(groups, "memory");
  if (!memory || memory->unified) return 0;
  std::uint64_t refused = 0;
  std::string path = memory->path;
  for (auto slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
       slash = path.rfind('/')) {
    path.resize(slash);
    if (!read_count(path + "/memory.limit_in_bytes"))
      break;  // above the hierarchy, or out of sight
    refused += refused_charges(path);
  }
  return refused;
}

Count read_refused_forks(const Group& group) {
  const Counts own = own_events(group.path + "/pids.events");
  const auto found = own.find("max");
  return found == own.end() ? Count{} : Count{found->second};
}

}  // namespace poolwarden::cgroup
