// Which workers have nothing to do, and how patient to be with them.

#pragma once

#include <cstdint>
#include <optional>

#include "pool/observation.h"

namespace poolwarden::pool {

// How long one worker has had no request.
class IdleWatch {
 public:
  explicit IdleWatch(TimePoint ready) : idle_since_(ready) {}

  void observe(const WorkerObservation& seen, TimePoint now);
  void woken(TimePoint now) { idle_since_ = now; }
  // Nothing while it has a request.
  std::optional<Duration> idle_for(TimePoint now) const;

 private:
  std::optional<TimePoint> idle_since_;
  std::uint64_t requests_ = 0;
};

// By how much idle.after shortens when memory is short (research/was.md 1.6, dynamicIdleThreshold):
// 1 below 80% of the threshold, then 1/2, from 85% 1/4, 90% 1/8, 95% 1/16, 100% 1/32. The threshold
// is `threshold_percent` of `total`. 1 where something is not known.
std::uint32_t idle_divisor(std::optional<std::uint32_t> threshold_percent,
                           std::optional<std::uint64_t> used, std::uint64_t total);

}  // namespace poolwarden::pool
