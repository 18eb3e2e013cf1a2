#include "process/recent_trouble.h"

#include <algorithm>

namespace poolwarden::process {
namespace {

constexpr Duration kFresh = std::chrono::seconds(10);

// What was not counted before: a file that cannot be read any more counts 0.
std::uint64_t more(std::uint64_t counted, std::uint64_t before) {
  return counted - std::min(counted, before);
}

}  // namespace

void RecentTrouble::look(const cgroup::LeafTrouble& counted, TimePoint now) {
  if (looks_.empty() || looks_.back().counted != counted) looks_.push_back({now, counted});
  while (looks_.size() > 1 && now - looks_[1].at > kFresh) looks_.pop_front();
}

cgroup::LeafTrouble RecentTrouble::until(const cgroup::LeafTrouble& counted, TimePoint now) const {
  cgroup::LeafTrouble before;
  for (const Look& look : looks_) {
    if (now - look.at > kFresh) before = look.counted;
  }
  return {.oom_kills = more(counted.oom_kills, before.oom_kills),
          .own_limit_hits = more(counted.own_limit_hits, before.own_limit_hits),
          .limit_hits_below = more(counted.limit_hits_below, before.limit_hits_below),
          .group_kills = more(counted.group_kills, before.group_kills),
          .pids_limit_hits = more(counted.pids_limit_hits, before.pids_limit_hits),
          .memory_high_events = more(counted.memory_high_events, before.memory_high_events)};
}

}  // namespace poolwarden::process
