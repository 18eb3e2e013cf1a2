// The cgroup of one worker: one directory in each hierarchy in use. A value: it names directories,
// it does not own them; whoever made it calls remove().

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/events.h"
#include "cgroup/hierarchy.h"
#include "cgroup/usage.h"
#include "loop/unique_fd.h"

namespace poolwarden::cgroup {

// What a child needs to enter a leaf, opened beforehand: it may not allocate.
struct Entry {
  std::vector<loop::UniqueFd> files;  // cgroup.procs of each v1 hierarchy: write "0"
  loop::UniqueFd unified_directory;   // for CLONE_INTO_CGROUP; none without v2
  loop::UniqueFd unified_file;        // cgroup.procs, where clone3(2) is denied
};

struct KernelWrite {
  std::string path, text;
};

class Leaf {
 public:
  Leaf() = default;  // no cgroup at all
  // What a cgroup of it had counted is told when that has been removed.
  using Removed = std::function<void(const LimitHits& counted)>;
  Leaf(std::vector<Group> groups, std::vector<std::string> unenforced, Removed removed = {});

  bool exists() const { return !groups_.empty(); }
  // Limits asked for and not had, one sentence each: under Containment::BestEffort any of them,
  // else only what weakens a limit that holds otherwise.
  const std::vector<std::string>& unenforced() const { return unenforced_; }

  Result<Entry> open_entry() const;
  bool populated() const;
  // Also of cgroups that the worker made below.
  std::vector<int> members() const;
  Result<void> kill() const;
  // Absent where no file counts them; trouble() says 0 then.
  Count oom_kills() const;
  LeafTrouble trouble() const;
  std::uint64_t limit_hits_above() const;  // see read_limit_hits_above()
  std::uint64_t memory_peak() const;       // bytes; 0 where it is not known
  Usage usage() const;
  Count working_set() const;
  Count memory_limit() const;
  Count cpu_time() const;   // microseconds
  Count throttled() const;  // microseconds for which it had used up its CPU quota
  Result<loop::UniqueFd> open_memory_notice(std::uint64_t bytes) const;

  Result<void> freeze() const;
  void thaw() const;
  // What has the kernel take back as much memory as it can; nothing where no file does that. The
  // write lasts for as long as that takes.
  std::optional<KernelWrite> reclaim_order() const;

  // Fails with EBUSY while a member is left.
  Result<void> remove() const;

 private:
  std::vector<Group> groups_;
  std::vector<std::string> unenforced_;
  Removed removed_;
};

}  // namespace poolwarden::cgroup
