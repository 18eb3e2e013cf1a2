// Time as the whole program counts it. Deciding code takes a TimePoint and never reads a clock, so
// that tests choose the time; only the doing folders call Clock::now().

#pragma once

#include <chrono>

namespace poolwarden {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;
using WallClock = std::chrono::system_clock;
using WallTime = WallClock::time_point;

}  // namespace poolwarden
