// Rows of the scoreboard by the slot that a snapshot names; null where there is none.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "link/scoreboard.h"

namespace poolwarden::metrics {

inline const link::PoolRow* pool_row(const link::Scoreboard& board, std::uint32_t slot) {
  return slot < link::kMaxPools ? &board.pools[slot] : nullptr;
}

inline const link::WorkerRow* worker_row(const link::Scoreboard& board, std::int32_t slot) {
  const bool has_row = slot >= 0 && static_cast<std::size_t>(slot) < link::kMaxWorkers;
  return has_row ? &board.workers[static_cast<std::size_t>(slot)] : nullptr;
}

// Seconds since a moment of the steady clock that a gateway wrote; 0 for none and for nonsense.
inline double seconds_since(std::uint64_t nanoseconds, TimePoint now) {
  const auto now_count = std::chrono::nanoseconds(now.time_since_epoch()).count();
  if (nanoseconds == 0 || now_count < 0 || nanoseconds > static_cast<std::uint64_t>(now_count)) {
    return 0;
  }
  return static_cast<double>(static_cast<std::uint64_t>(now_count) - nanoseconds) / 1e9;
}

}  // namespace poolwarden::metrics
