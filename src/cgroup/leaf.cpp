#include "cgroup/leaf.h"

#include <fcntl.h>

#include "cgroup/freezer.h"
#include "cgroup/kernel_files.h"
#include "cgroup/limit_hits.h"
#include "cgroup/members.h"
#include "cgroup/memory_notice.h"
#include "cgroup/read_usage.h"

namespace poolwarden::cgroup {

Leaf::Leaf(std::vector<Group> groups, std::vector<std::string> unenforced, Removed removed)
    : groups_(std::move(groups)),
      unenforced_(std::move(unenforced)),
      removed_(std::move(removed)) {}

Result<Entry> Leaf::open_entry() const {
  Entry entry;
  for (const Group& group : groups_) {
    const std::string path = group.path + "/cgroup.procs";
    loop::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return errno_error(errno, "cannot open " + path);
    if (!group.unified) {
      entry.files.push_back(std::move(file));
      continue;
    }
    entry.unified_file = std::move(file);
    entry.unified_directory.reset(::open(group.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!entry.unified_directory) return errno_error(errno, "cannot open " + group.path);
  }
  return entry;
}

bool Leaf::populated() const { return has_members(groups_); }

std::vector<int> Leaf::members() const {
  if (groups_.empty()) return {};
  // A child enters v2 before v1.
  const Group* unified = unified_of(groups_);
  return cgroup::members((unified ? unified : &groups_.front())->path);
}

Result<void> Leaf::kill() const { return kill_members(groups_); }

Count Leaf::oom_kills() const { return read_oom_kills(groups_); }

LeafTrouble Leaf::trouble() const { return read_trouble(groups_); }

std::uint64_t Leaf::limit_hits_above() const { return read_limit_hits_above(groups_); }

std::uint64_t Leaf::memory_peak() const { return usage().memory_peak.value_or(0); }

Usage Leaf::usage() const { return read_usage(groups_); }

Count Leaf::working_set() const { return read_working_set(groups_); }

Count Leaf::memory_limit() const { return read_memory_limit(groups_); }

Count Leaf::cpu_time() const { return read_cpu_time(groups_); }

Count Leaf::throttled() const { return read_throttled(groups_); }

Result<loop::UniqueFd> Leaf::open_memory_notice(std::uint64_t bytes) const {
  return cgroup::open_memory_notice(groups_, bytes);
}

Result<void> Leaf::freeze() const { return cgroup::freeze(groups_); }

void Leaf::thaw() const { cgroup::thaw(groups_); }

std::optional<KernelWrite> Leaf::reclaim_order() const {
  const Group* memory = having(groups_, "memory");
  if (!memory) return std::nullopt;
  if (!memory->unified) return KernelWrite{memory->path + "/memory.force_empty", "0"};
  const Count held = read_count(memory->path + "/memory.current");
  return KernelWrite{memory->path + "/memory.reclaim", std::to_string(held.value_or(0))};
}

Result<void> Leaf::remove() const {
  Result<void> outcome;
  for (const Group& group : groups_) {
    const LimitHits counted = read_limit_hits({group});  // nothing where it is gone already
    if (auto gone = remove_group(group.path); !gone) {
      outcome = gone;
    } else if (removed_) {
      removed_(counted);
    }
  }
  return outcome;
}

}  // namespace poolwarden::cgroup
