#include "cgroup/limits.h"

#include <algorithm>
#include <string>

#include "cgroup/cpuset.h"
#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

constexpr std::uint64_t kSmallestQuota = 1000;  // microseconds; the kernel takes no less

// Why no limit of setrlimit(2) is put in its place, and what works all the same.
std::string without(const std::string& limit) {
  if (limit == "memory")
    return "; RLIMIT_AS would limit address space, which is another thing; recycle.over_memory "
           "works without a cgroup";
  if (limit == "cpu")
    return "; RLIMIT_CPU would end a process after so much CPU time in all; limits.cpu_action: "
           "kill and log work without a cgroup";
  if (limit == "pids")
    return "; RLIMIT_NPROC would count all processes of the user, those of others too";
  return "";
}

Error missing(const std::string& limit, const std::string& controller) {
  return failure("cannot enforce limits." + limit + ": no writable cgroup has the " + controller +
                 " controller" + without(limit));
}

// Memory and swap together are the limit: without this a worker over it would swap rather than die.
// v1 first has to have the limit of memory alone, which may not be the greater one.
Result<void> keep_from_swap(const Group& group, const std::string& limit) {
  return group.unified ? write_text(group.path + "/memory.swap.max", "0")
                       : write_text(group.path + "/memory.memsw.limit_in_bytes", limit);
}

Result<void> limit_memory(const Group& group, std::uint64_t bytes) {
  return write_text(group.path + (group.unified ? "/memory.max" : "/memory.limit_in_bytes"),
                    std::to_string(bytes));
}

Result<void> limit_cpu(const Group& group, double cores) {
  const auto wanted = static_cast<std::uint64_t>(cores * static_cast<double>(kCpuPeriod));
  const std::string quota = std::to_string(std::max(wanted, kSmallestQuota));
  const std::string period = std::to_string(kCpuPeriod);
  if (group.unified) return write_text(group.path + "/cpu.max", quota + " " + period);
  if (auto written = write_text(group.path + "/cpu.cfs_period_us", period); !written)
    return written;
  return write_text(group.path + "/cpu.cfs_quota_us", quota);
}

// As much of cpu.shares as the kernel itself makes of a cpu.weight: 1024 are 100.
std::string weight_text(const Group& group, std::uint64_t weight) {
  if (group.unified) return std::to_string(weight);
  constexpr std::uint64_t kDefaultShares = 1024, kLeast = 2, kMost = 262144;
  const std::uint64_t shares =
      (weight * kDefaultShares + kDefaultCpuWeight / 2) / kDefaultCpuWeight;
  return std::to_string(std::clamp(shares, kLeast, kMost));
}

std::string weight_file(const Group& group) {
  return group.unified ? "/cpu.weight" : "/cpu.shares";
}

// A weight counts among siblings: that of a worker among the workers of its pool. So its pool gets
// it, too, among the pools.
Result<void> weigh_pool(const Group& group, std::uint64_t weight) {
  const std::string pool = group.path.substr(0, group.path.rfind('/'));
  return write_text(pool + weight_file(group), weight_text(group, weight));
}

Result<void> limit_cpu_weight(const Group& group, std::uint64_t weight) {
  if (auto weighed = weigh_pool(group, weight); !weighed) return weighed;
  return write_text(group.path + weight_file(group), weight_text(group, weight));
}

Result<void> limit_memory_high(const Group& group, std::uint64_t bytes) {
  // The soft limit of v1 is another thing: it acts only when the whole machine is short.
  if (!group.unified) return failure("cgroup v1 has nothing like memory.high");
  return write_text(group.path + "/memory.high", std::to_string(bytes));
}

// A kernel that does not account swap has no such file, which does no harm where there is none.
void limit_swap(const Group& group, std::uint64_t bytes, const std::string& meminfo,
                std::vector<std::string>& weakened) {
  const auto kept = keep_from_swap(group, std::to_string(bytes));
  if (kept || read_meminfo(meminfo, "SwapTotal").value_or(0) == 0) return;
  weakened.push_back(
      "cannot keep a worker at limits.memory from swapping: " + kept.error().message +
      "; it is slowed down there rather than killed. Boot the machine with "
      "swapaccount=1, or without swap");
}

// Where there is no cpuset the child binds itself, as it does anyway.
void limit_cpus(const std::vector<Group>& groups, const std::string& cpus,
                std::vector<std::string>& weakened) {
  const Group* group = having(groups, "cpuset");
  if (!group) return;
  if (const auto restricted = restrict_cpus(*group, cpus); !restricted)
    weakened.push_back(only_affinity(restricted.error()));
}

template <typename Value, typename Apply>
void enforce(const std::vector<Group>& groups, const std::string& limit,
             const std::string& controller, const std::optional<Value>& value, Apply apply,
             std::vector<Error>& failed) {
  if (!value) return;
  const Group* group = having(groups, controller);
  if (!group) {
    failed.push_back(missing(limit, controller));
  } else if (const Result<void> applied = apply(*group, *value); !applied) {
    failed.push_back(applied.error().because("cannot enforce limits." + limit));
  }
}

}  // namespace

AppliedLimits apply_limits(const std::vector<Group>& groups, const LimitValues& limits,
                           const std::string& meminfo) {
  AppliedLimits applied;
  std::vector<Error>& failed = applied.failed;
  // A worker is one thing: when memory runs out its processes end together, not one at random.
  const Group* memory = having(groups, "memory");
  if (memory && memory->unified) (void)write_text(memory->path + "/memory.oom.group", "1");
  enforce(groups, "memory", "memory", limits.memory, limit_memory, failed);
  if (memory && limits.memory && failed.empty())
    limit_swap(*memory, *limits.memory, meminfo, applied.weakened);
  enforce(groups, "memory_high", "memory", limits.memory_high, limit_memory_high, failed);
  enforce(groups, "cpu", "cpu", limits.cpu_cores, limit_cpu, failed);
  enforce(groups, "cpu_weight", "cpu", limits.cpu_weight, limit_cpu_weight, failed);
  const Group* cpu = having(groups, "cpu");  // its pool may have had one before
  if (cpu && !limits.cpu_weight) (void)weigh_pool(*cpu, kDefaultCpuWeight);
  enforce(
      groups, "pids", "pids", limits.pids,
      [](const Group& group, std::uint64_t count) {
        return write_text(group.path + "/pids.max", std::to_string(count));
      },
      failed);
  if (limits.cpus) limit_cpus(groups, *limits.cpus, applied.weakened);
  return applied;
}

}  // namespace poolwarden::cgroup
