#include "pool/health.h"

#include <algorithm>

namespace poolwarden::pool {
namespace {

std::optional<TimePoint> later_by(Duration timeout, const std::optional<TimePoint>& since) {
  if (!since) return std::nullopt;
  return *since + timeout;
}

}  // namespace

std::optional<TimePoint> PingWatch::deadline(Duration timeout) const {
  return later_by(timeout, unanswered_since_);
}

void PingWatch::ended(const worker::PingAnswer& answer) {
  if (answer.result == worker::PingResult::Answered) {
    *this = PingWatch();
    return;
  }
  was_last_answered_ = answer.status != 0;
  if (was_last_answered_) status_ = answer.status;
}

std::string PingWatch::words() const {
  if (status_ == 0) return "has answered no ping";
  const std::string words = "has answered its pings with " + std::to_string(status_);
  return was_last_answered_ ? words : words + ", and then not at all,";
}

std::optional<TimePoint> Watchdog::deadline(Duration timeout) const {
  return later_by(timeout, last_);
}

void DeadlockWatch::observe(const WorkerObservation& seen, bool requests_wait, TimePoint now) {
  if (requests_wait) last_waiting_ = now;
  const bool have_waited = last_waiting_ && now - *last_waiting_ <= kLull;
  if (!have_waited || seen.in_flight <= seen.tunnels) {
    silent_since_.reset();
    return;
  }
  const TimePoint since = silent_since_.value_or(now);
  const TimePoint answered = seen.last_response.value_or(TimePoint::min());
  // The gateway may have looked at the clock after we did.
  silent_since_ = std::min(std::max(since, answered), now);
}

}  // namespace poolwarden::pool
