#include "pool/recycle_schedule.h"

#include <algorithm>
#include <utility>

namespace poolwarden::pool {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using LocalTime = std::chrono::local_time<WallClock::duration>;  // what a clock on the wall reads

constexpr Duration kLargestSlip = 3h;

bool is_set_right(WallTime before, WallTime now) {
  return now - before > kLargestSlip || before - now > kLargestSlip;
}

std::chrono::local_days day_of(WallTime instant, const UtcOffset& offset) {
  return std::chrono::floor<days>(LocalTime(instant.time_since_epoch() + offset(instant)));
}

WallTime at_offset(LocalTime reading, seconds ahead) {
  return WallTime(reading.time_since_epoch() - ahead);
}

// The first instant at which the clock reads `reading`. Where it never does, the instant at which
// it would, had the clock not been changed.
WallTime instant_of(LocalTime reading, const UtcOffset& offset) {
  // A day to either side is beyond any offset, so it is beyond a change near the reading as well.
  const WallTime around = at_offset(reading, 0s);
  const seconds offset_before = offset(around - 24h);
  const seconds offset_after = offset(around + 24h);
  const WallTime before = at_offset(reading, offset_before);
  const WallTime after = at_offset(reading, offset_after);
  const bool only_after = offset(before) != offset_before && offset(after) == offset_after;
  return only_after ? after : before;
}

// The instants later than `from` and not later than `to`, in no order.
std::vector<WallTime> instants_within(WallTime from, WallTime to, const std::vector<TimeOfDay>& at,
                                      const UtcOffset& offset) {
  std::vector<WallTime> found;
  // One day more at both ends: a time that is skipped comes on a later date than its own, and a
  // clock that is set back at midnight reads an earlier date again.
  const auto last = day_of(to, offset) + days(1);
  for (auto day = day_of(from, offset) - days(1); day <= last; day += days(1)) {
    for (const TimeOfDay& time : at) {
      const auto since_midnight = std::chrono::hours(time.hour) + std::chrono::minutes(time.minute);
      const WallTime instant = instant_of(day + since_midnight, offset);
      if (instant > from && instant <= to) found.push_back(instant);
    }
  }
  return found;
}

}  // namespace

RecycleSchedule::RecycleSchedule(std::vector<TimeOfDay> at, UtcOffset offset)
    : at_(std::move(at)), offset_(std::move(offset)) {}

bool RecycleSchedule::has_come(WallTime now) {
  const WallTime before = last_seen_.value_or(now);
  last_seen_ = now;
  if (is_set_right(before, now)) {
    last_fired_.reset();
    return false;
  }
  const WallTime from = std::max(before, last_fired_.value_or(before));
  const std::vector<WallTime> come = instants_within(from, now, at_, offset_);
  if (come.empty()) return false;
  last_fired_ = *std::max_element(come.begin(), come.end());
  return true;
}

std::optional<WallTime> RecycleSchedule::next(WallTime now) const {
  const bool remembers = last_fired_ && !is_set_right(*last_seen_, now);
  const WallTime from = remembers ? std::max(now, *last_fired_) : now;
  // A date can come twice where a zone changes sides of the date line: two days between two times.
  const std::vector<WallTime> coming = instants_within(from, from + days(3), at_, offset_);
  if (coming.empty()) return std::nullopt;
  return *std::min_element(coming.begin(), coming.end());
}

}  // namespace poolwarden::pool
