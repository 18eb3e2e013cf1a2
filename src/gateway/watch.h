// A limit on how long the outside may make no progress. Watches cost no timer: the sweeper looks
// at them a few times a second.

#pragma once

#include "base/clock.h"

namespace poolwarden::gateway {

// Why a connection is taken away from what waits on it.
enum class Cut {
  None,
  Idle,           // a keep-alive connection without a request
  HeadTimeout,    // the head of a request did not arrive in time
  ClientStalled,  // the client stopped sending its body
  WriteStalled,   // the client stopped reading the response
  ClientGone,
  RequestTimeout,  // request_timeout of the pool
  BadBody,         // malformed chunks
  LingerOver,
  Abandoned,  // the gateway ends
};

struct Watch {
  TimePoint deadline = TimePoint::max();
  Cut reason = Cut::None;

  void arm(TimePoint at, Cut why) {
    deadline = at;
    reason = why;
  }
  void disarm() { deadline = TimePoint::max(); }
  bool expired(TimePoint now) const { return deadline <= now; }
};

using namespace std::chrono_literals;
inline constexpr Duration kSweepInterval = 250ms;
inline constexpr Duration kHeadLimit = 30s;
inline constexpr Duration kIdleLimit = 75s;
inline constexpr Duration kStallLimit = 60s;
inline constexpr Duration kConnectLimit = 5s;
inline constexpr Duration kLingerLimit = 2s;
inline constexpr Duration kQuiesceLimit = 1s;  // for the first byte of a request
inline constexpr Duration kGoneGrace = 1s;     // from a worker's end to that of what it left open

}  // namespace poolwarden::gateway
