#include "cgroup/limit_hits.h"

#include <algorithm>

#include "cgroup/events.h"
#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

constexpr Count LimitHits::*kCounts[] = {&LimitHits::cpu_periods, &LimitHits::cpu_throttled_periods,
                                         &LimitHits::cpu_throttled_usec, &LimitHits::pids};

void read_throttling(const Group& group, LimitHits& hits) {
  constexpr std::uint64_t kNanoseconds = 1000;
  const auto stat = read_keyed(group.path + "/cpu.stat");
  const auto find = [&](const char* key) {
    const auto found = stat.find(key);
    return found == stat.end() ? Count{} : Count{found->second};
  };
  hits.cpu_periods = find("nr_periods");
  hits.cpu_throttled_periods = find("nr_throttled");
  hits.cpu_throttled_usec = find("throttled_usec");
  if (const Count of_v1 = find("throttled_time")) hits.cpu_throttled_usec = *of_v1 / kNanoseconds;
}

}  // namespace

LimitHits sum_of(LimitHits one, const LimitHits& other) {
  for (const auto count : kCounts)
    if (other.*count) one.*count = (one.*count).value_or(0) + *(other.*count);
  return one;
}

LimitHits read_limit_hits(const std::vector<Group>& groups) {
  LimitHits hits;
  if (const Group* cpu = having(groups, "cpu")) read_throttling(*cpu, hits);
  if (const Group* pids = having(groups, "pids")) hits.pids = read_refused_forks(*pids);
  return hits;
}

LimitHits read_limit_hits_below(const std::vector<Group>& groups) {
  LimitHits sum;
  for (const Group& group : groups)
    for (const std::string& below : subdirectories(group.path))
      sum = sum_of(sum, read_limit_hits({{below, group.unified, group.controllers}}));
  return sum;
}

void LimitHitsLedger::ended(const std::string& pool, const LimitHits& hits) {
  std::lock_guard lock(mutex_);
  LimitHits& ended = pools_[pool].ended;
  ended = sum_of(ended, hits);
}

LimitHits LimitHitsLedger::of_ended(const std::string& pool) const {
  std::lock_guard lock(mutex_);
  const auto found = pools_.find(pool);
  return found == pools_.end() ? LimitHits{} : found->second.ended;
}

LimitHits LimitHitsLedger::total(const std::string& pool, const LimitHits& of_ended,
                                 const LimitHits& of_running) {
  const LimitHits now = sum_of(of_ended, of_running);
  std::lock_guard lock(mutex_);
  LimitHits& shown = pools_[pool].shown;
  for (const auto count : kCounts) shown.*count = std::max(shown.*count, now.*count);
  return shown;
}

}  // namespace poolwarden::cgroup
