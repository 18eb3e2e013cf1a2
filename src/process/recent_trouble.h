// Which of the troubles that a worker's cgroup has counted are news: only what befell it shortly
// before its end can explain that end.

#pragma once

#include <deque>

#include "base/clock.h"
#include "cgroup/events.h"

namespace poolwarden::process {

class RecentTrouble {
 public:
  // To be called about once a second with what is counted by then.
  void look(const cgroup::LeafTrouble& counted, TimePoint now);

  // What was counted in the last ten seconds, a second more or less: a large process takes its time
  // to die once the OOM killer has struck it.
  cgroup::LeafTrouble until(const cgroup::LeafTrouble& counted, TimePoint now) const;

 private:
  struct Look {
    TimePoint at;
    cgroup::LeafTrouble counted;
  };
  std::deque<Look> looks_;  // at which something had changed; the oldest may be old
};

}  // namespace poolwarden::process
