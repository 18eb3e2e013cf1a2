// How long to wait before a slot gets its next worker after a failure.

#pragma once

#include <cstdint>

#include "base/clock.h"

namespace poolwarden::pool {

// A worker that served this long was healthy: its slot's next failure counts as the first again.
inline constexpr Duration kHealthyAfter = std::chrono::seconds(10);

// `failures` in a row, this one included: the first is replaced at once, then 250 ms doubling up
// to 10 s.
Duration restart_delay(std::uint32_t failures);

}  // namespace poolwarden::pool
