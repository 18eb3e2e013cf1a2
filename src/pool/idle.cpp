#include "pool/idle.h"

#include "base/units.h"

namespace poolwarden::pool {

void IdleWatch::observe(const WorkerObservation& seen, TimePoint now) {
  const bool was_asked = seen.requests != requests_;  // in between, and has answered already
  requests_ = seen.requests;
  if (seen.in_flight > 0) {
    idle_since_.reset();
  } else if (was_asked || !idle_since_) {
    idle_since_ = now;
  }
}

std::optional<Duration> IdleWatch::idle_for(TimePoint now) const {
  if (!idle_since_) return std::nullopt;
  return now - *idle_since_;
}

std::uint32_t idle_divisor(std::optional<std::uint32_t> threshold_percent,
                           std::optional<std::uint64_t> used, std::uint64_t total) {
  const std::uint64_t threshold = resolve(Percent{threshold_percent.value_or(0)}, total);
  if (threshold == 0 || !used) return 1;
  std::uint32_t divisor = 1;
  for (const std::uint32_t below : {20u, 15u, 10u, 5u, 0u}) {  // percent of the threshold left
    if (*used >= threshold - resolve(Percent{below}, threshold)) divisor *= 2;
  }
  return divisor;
}

}  // namespace poolwarden::pool
