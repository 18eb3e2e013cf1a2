// Rapid-fail protection: too many failures within a sliding window take the pool out of service.
// A fixed window would let a burst across its boundary pass.

#pragma once

#include <cstdint>
#include <deque>

#include "pool/pool_settings.h"

namespace poolwarden::pool {

class RapidFail {
 public:
  explicit RapidFail(const RapidFailSettings& settings) : settings_(settings) {}
  void change(const RapidFailSettings& settings) { settings_ = settings; }

  // Returns whether this failure is the one that trips: the `failures`-th within `within`.
  bool record_failure(TimePoint now);

  std::uint32_t failures_in_window(TimePoint now) const;
  void reset() { failures_.clear(); }

 private:
  RapidFailSettings settings_;
  std::deque<TimePoint> failures_;  // oldest first; never more than trip
};

}  // namespace poolwarden::pool
