// How often workers were held at their limits of CPU and of processes. The kernel counts that for
// each cgroup by itself and forgets it with the cgroup, so that of a pool is the sum over the
// leaves that are there and those that are gone.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cgroup/hierarchy.h"
#include "cgroup/usage.h"

namespace poolwarden::cgroup {

// What only one of them tells is that.
LimitHits sum_of(LimitHits one, const LimitHits& other);

LimitHits read_limit_hits(const std::vector<Group>& groups);

// The sum over the cgroups directly below.
LimitHits read_limit_hits_below(const std::vector<Group>& groups);

// The counts of pools whose leaves come and go. May be used by any thread.
class LimitHitsLedger {
 public:
  // To be told when the leaf is gone, not before.
  void ended(const std::string& pool, const LimitHits& hits);

  LimitHits of_ended(const std::string& pool) const;
  // The sum of both, where of_ended() was asked before the leaves: one that goes in between is then
  // left out for once rather than counted twice. Never less than what it has answered before.
  LimitHits total(const std::string& pool, const LimitHits& of_ended, const LimitHits& of_running);

 private:
  struct Entry {
    LimitHits ended, shown;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> pools_;
};

}  // namespace poolwarden::cgroup
