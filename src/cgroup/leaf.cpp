#include "cgroup/leaf.h"

#include <fcntl.h>

#include "cgroup/members.h"
#include "cgroup/read_usage.h"

namespace poolwarden::cgroup {

Leaf::Leaf(std::vector<Group> groups, std::vector<std::string> unenforced)
    : groups_(std::move(groups)), unenforced_(std::move(unenforced)) {}

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

Result<void> Leaf::kill() const { return kill_members(groups_); }

std::uint64_t Leaf::oom_kills() const { return read_oom_kills(groups_); }

std::uint64_t Leaf::memory_peak() const { return usage().memory_peak.value_or(0); }

Usage Leaf::usage() const { return read_usage(groups_); }

Result<void> Leaf::remove() const {
  Result<void> outcome;
  for (const Group& group : groups_) {
    if (auto removed = remove_group(group.path); !removed) outcome = removed;
  }
  return outcome;
}

}  // namespace poolwarden::cgroup
