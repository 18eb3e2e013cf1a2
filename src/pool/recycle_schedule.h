// recycle.at: times of day in local time, kept through clock changes and daylight saving.
//
// A time that the clock skips in spring comes as much later as the clock jumps; one that comes
// twice in autumn counts the first time. A clock that is set forward by up to three hours brings
// the times it jumped over at once, and once; one set back by up to three hours does not bring them
// again. Larger jumps set the clock right: nothing is made up for.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "pool/pool_settings.h"

namespace poolwarden::pool {

// Seconds that local time is ahead of UTC at an instant; pure, for the same zone.
using UtcOffset = std::function<std::chrono::seconds(WallTime)>;

class RecycleSchedule {
 public:
  RecycleSchedule(std::vector<TimeOfDay> at, UtcOffset offset);

  // Whether a time has come since the last call; to be called a few times a minute at least. The
  // first call only looks at the clock.
  bool has_come(WallTime now);

  // The next one after `now`; nullopt without times.
  std::optional<WallTime> next(WallTime now) const;

 private:
  std::vector<TimeOfDay> at_;
  UtcOffset offset_;
  std::optional<WallTime> last_seen_;
  std::optional<WallTime> last_fired_;  // the instant that was due, not when it was noticed
};

}  // namespace poolwarden::pool
