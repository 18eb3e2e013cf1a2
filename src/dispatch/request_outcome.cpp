#include "dispatch/request_outcome.h"

#include <algorithm>
#include <array>

namespace poolwarden::dispatch {
namespace {

Replay never_ran(const Attempt& attempt) {
  // A request that a worker may have run earlier keeps only that one replay.
  return attempt.body_kept && attempt.replays < kMostReplays ? Replay::NeverRan : Replay::No;
}

Replay may_have_run(const Attempt& attempt) {
  const bool again = attempt.idempotent && attempt.body_kept && !attempt.may_have_run;
  return again ? Replay::Idempotent : Replay::No;
}

}  // namespace

Replay decide_replay(const Attempt& attempt) {
  using enum AttemptEnd;
  switch (attempt.end) {
    case ConnectFailed:
      // Waiting for a worker that can be reached is bounded by the queue's time-out alone.
      return attempt.body_kept ? Replay::NeverRan : Replay::No;
    case RefusedAtSend:
      return never_ran(attempt);
    case ResetBeforeResponse:
      // A Unix socket resets when it is closed with bytes unread: of a request without a body some
      // were missing then. TCP resets for other reasons too.
      if (attempt.transport == Transport::Unix && !attempt.has_body) return never_ran(attempt);
      return may_have_run(attempt);
    case EofBeforeResponse:
      return may_have_run(attempt);
    case NeverAccepted:
      // All that is known is that it waits in the backlog of a socket that outlived its worker;
      // that nothing else took it from there, nobody can prove.
      return attempt.idempotent ? never_ran(attempt) : Replay::No;
    case Answered:
    case FailedMidResponse:
    case BadResponse:
    case TimedOut:
    case ClientAborted:
    case ClientStalled:
    case BadBody:
      return Replay::No;
  }
  return Replay::No;
}

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET",   "HEAD", "OPTIONS",
                                                                  "TRACE", "PUT",  "DELETE"};
  return std::find(kIdempotent.begin(), kIdempotent.end(), method) != kIdempotent.end();
}

}  // namespace poolwarden::dispatch
