// How many workers a web garden wants: more when requests wait, fewer when nothing needed them for
// a while.

#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace poolwarden::pool {

struct Load {
  std::uint64_t waiting = 0;    // in the queue
  std::uint64_t in_flight = 0;  // of all workers
};

class Garden {
 public:
  // `concurrency`: requests that one worker takes at a time.
  Garden(std::uint32_t min, std::uint32_t max, std::uint32_t concurrency, Duration spare_after);

  // Told of every observation, `now` of them have a place (starting or serving). Answers how many
  // there should be, within min and max:
  // - requests that wait for longer than kPatience grow it to what the load needs, by at most
  //   doubling, and not while some still start;
  // - it shrinks, by one, when for `spare_after` no observation needed the last one.
  std::uint32_t wanted(const Load& load, std::uint32_t present, std::uint32_t starting,
                       TimePoint now);

 private:
  std::uint32_t min_, max_, concurrency_;
  Duration spare_after_;
  std::optional<TimePoint> waiting_since_;
  std::optional<TimePoint> spare_since_;
};

inline constexpr Duration kPatience = std::chrono::milliseconds(200);

}  // namespace poolwarden::pool
