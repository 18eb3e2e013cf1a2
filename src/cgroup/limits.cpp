#include "cgroup/limits.h"

#include <algorithm>
#include <string>

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

constexpr std::uint64_t kPeriod = 100'000;      // microseconds, the kernel's own default
constexpr std::uint64_t kSmallestQuota = 1000;  // the kernel takes no less

Error missing(const std::string& limit, const std::string& controller) {
  return {std::make_error_code(std::errc::not_supported), "cannot enforce limits." + limit +
                                                              ": no writable cgroup has the " +
                                                              controller + " controller"};
}

Result<void> limit_memory(const Group& group, std::uint64_t bytes) {
  const std::string value = std::to_string(bytes);
  if (group.unified) {
    // Without this a worker over its limit would swap rather than die; not every kernel has it.
    (void)write_text(group.path + "/memory.swap.max", "0");
    return write_text(group.path + "/memory.max", value);
  }
  auto written = write_text(group.path + "/memory.limit_in_bytes", value);
  // Of memory and swap together; only there when the kernel accounts swap.
  if (written) (void)write_text(group.path + "/memory.memsw.limit_in_bytes", value);
  return written;
}

Result<void> limit_cpu(const Group& group, double cores) {
  const auto wanted = static_cast<std::uint64_t>(cores * static_cast<double>(kPeriod));
  const std::string quota = std::to_string(std::max(wanted, kSmallestQuota));
  const std::string period = std::to_string(kPeriod);
  if (group.unified) return write_text(group.path + "/cpu.max", quota + " " + period);
  if (auto written = write_text(group.path + "/cpu.cfs_period_us", period); !written)
    return written;
  return write_text(group.path + "/cpu.cfs_quota_us", quota);
}

Result<void> limit_memory_high(const Group& group, std::uint64_t bytes) {
  // The soft limit of v1 is another thing: it acts only when the whole machine is short.
  if (!group.unified) return failure("cgroup v1 has nothing like memory.high");
  return write_text(group.path + "/memory.high", std::to_string(bytes));
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

std::vector<Error> apply_limits(const std::vector<Group>& groups, const LimitValues& limits) {
  std::vector<Error> failed;
  // A worker is one thing: when memory runs out its processes end together, not one at random.
  if (const Group* memory = having(groups, "memory"); memory && memory->unified)
    (void)write_text(memory->path + "/memory.oom.group", "1");
  enforce(groups, "memory", "memory", limits.memory, limit_memory, failed);
  enforce(groups, "memory_high", "memory", limits.memory_high, limit_memory_high, failed);
  enforce(groups, "cpu", "cpu", limits.cpu_cores, limit_cpu, failed);
  enforce(
      groups, "pids", "pids", limits.pids,
      [](const Group& group, std::uint64_t count) {
        return write_text(group.path + "/pids.max", std::to_string(count));
      },
      failed);
  return failed;
}

}  // namespace poolwarden::cgroup
