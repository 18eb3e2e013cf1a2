// The supervisor's own subtree of cgroups: <own cgroup>/<name>/<pool>/<leaf> in every hierarchy
// that can be written. Opening never fails: it finds out what can be had, and says what cannot.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/cures.h"
#include "cgroup/delegation.h"
#include "cgroup/leaf.h"
#include "cgroup/limit_hits.h"
#include "cgroup/limits.h"
#include "cgroup/memory_room.h"
#include "worker/worker_settings.h"

namespace poolwarden::cgroup {

// Where the kernel tells of cgroups; tests write their own.
struct Places {
  std::string mountinfo = "/proc/self/mountinfo";
  std::string self_cgroup = "/proc/self/cgroup";
};

struct ContainmentReport {
  std::string cgroup = "none";       // v2_delegated, v2_readonly, v1, hybrid, none
  std::vector<std::string> missing;  // what cannot be had, and the cure; one sentence each
  Cure cure;                         // where no cgroup can be written; else empty
  // What is had by other means than a cgroup, and what that means; one sentence each.
  std::vector<std::string> stand_ins;

  bool memory_limits = false, cpu_limits = false, pids_limits = false, cpusets = false;
};

std::string leaf_name(std::uint32_t slot, std::uint64_t generation);

class Tree {
 public:
  // `name` tells supervisors of one machine apart and is the same after a restart:
  // "poolwarden-1a2b3c4d". `companion`: a process of ours, in our cgroup, which must not be in the
  // way of limits.
  static Tree open(const Places& places, const std::string& name,
                   std::optional<pid_t> companion = {});

  // Where open() of that name makes its cgroups; nothing is made, and there is no report. To clean
  // up by.
  static Tree find(const Places& places, const std::string& name);

  const ContainmentReport& report() const { return report_; }

  // A limit that cannot be enforced is an error under Containment::Required; else the leaf says so.
  Result<Leaf> make_leaf(const std::string& pool, const std::string& leaf,
                         const LimitValues& limits, worker::Containment containment) const;

  // These two may be called from any thread. Of a pool, the limit hits are those of all leaves
  // since the tree was opened; oom_kill counts in the leaves that are `running`: v1 forgets that of
  // a leaf that is removed, and one may stay a while after its worker, so the end of a worker has
  // to be told by who saw it.
  std::optional<Usage> pool_usage(const std::string& pool,
                                  const std::vector<std::string>& running) const;
  std::optional<Usage> leaf_usage(const std::string& pool, const std::string& leaf) const;

  // Processes in a leaf; none where it has none. From any thread, too.
  std::vector<int> leaf_members(const std::string& pool, const std::string& leaf) const;

  // How often the kernel's OOM killer struck in the cgroup that this process was in when the tree
  // was opened: in a container, the container's own. For workers without a leaf that counts.
  Count own_oom_kills() const;

  // The cgroup by which the memory of a leaf is counted and limited; empty when there is none.
  std::string memory_cgroup(const std::string& pool, const std::string& leaf) const;

  // Kills and removes what a former supervisor of the same name left; returns how many processes.
  // For the start only: it waits until they are gone, 2 s at most.
  std::size_t remove_leftovers() const;

  // For the end: all cgroups of ours, as far as they are empty. Returns whether none is left.
  bool remove() const;

  // What this process and its children may use: the least limit of its cgroup and those above it,
  // else the machine's memory.
  std::uint64_t available_memory() const { return memory().total; }
  MemoryRoom memory() const;

 private:
  std::vector<Group> groups_of(const std::string& pool, const std::string& leaf = "") const;
  Result<Group> make_in(const Group& base, const std::string& pool, const std::string& leaf) const;
  void open_unified(const Hierarchy& hierarchy, const std::string& name, const Company& company);
  // Why a hierarchy cannot be written -> its controllers; one sentence will do for all of them.
  using Refusals = std::map<std::error_code, std::string>;
  void open_v1(const Hierarchy& hierarchy, const std::string& name, Refusals& refused);
  void finish_report();

  std::vector<Hierarchy> hierarchies_;
  std::vector<Group> bases_;  // in those of `hierarchies_` that can be written; found ones: in all
  std::shared_ptr<LimitHitsLedger> limit_hits_ = std::make_shared<LimitHitsLedger>();
  Error no_cpuset_ = failure("no cgroup that can be written has the cpuset controller");
  ContainmentReport report_;
};

}  // namespace poolwarden::cgroup
