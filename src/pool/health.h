// Whether a worker is well: pings that it answers, and requests that it gets done.

#pragma once

#include <optional>
#include <string>

#include "pool/observation.h"
#include "pool/pool_settings.h"
#include "worker/usage.h"

namespace poolwarden::pool {

// Pings of one worker. A ping that fails is tried again; what counts is that none was answered for
// `timeout` since the first that was not.
class PingWatch {
 public:
  void begun(TimePoint now) { unanswered_since_ = unanswered_since_.value_or(now); }
  void ended(const worker::PingAnswer& answer);
  // When it has failed, unless an answer comes before.
  std::optional<TimePoint> deadline(Duration timeout) const;
  // What has come of them since the last that was answered well: "has answered no ping".
  std::string words() const;

 private:
  std::optional<TimePoint> unanswered_since_;
  int status_ = 0;  // of the last answer that it gave since then; 0: none
  bool was_last_answered_ = false;
};

// WATCHDOG=1 of one worker: silence counts from the last message, or from when it was ready.
class Watchdog {
 public:
  void heard(TimePoint now) { last_ = now; }
  std::optional<TimePoint> deadline(Duration timeout) const;

 private:
  std::optional<TimePoint> last_;
};

// So long may the queue be empty in between.
inline constexpr Duration kLull = std::chrono::seconds(1);

// Deadlock of one worker: requests wait in the queue, it has requests (tunnels do not count), and
// for all that time it has sent nothing. A queue that others empty for a moment is no comfort to
// those whose requests it holds.
class DeadlockWatch {
 public:
  void observe(const WorkerObservation& seen, bool requests_wait, TimePoint now);
  // Since when it has been silent although it had reason to answer.
  std::optional<TimePoint> silent_since() const { return silent_since_; }

 private:
  std::optional<TimePoint> silent_since_;
  std::optional<TimePoint> last_waiting_;  // that requests were in the queue
};

}  // namespace poolwarden::pool
