// How an attempt to have a request answered by a worker ended, and whether it may be tried again.

#pragma once

#include <string_view>

namespace poolwarden::dispatch {

enum class AttemptEnd {
  Answered,             // the whole response has been passed on
  ConnectFailed,        // no connection to the worker
  RefusedAtSend,        // EPIPE or ECONNRESET before one byte of the request was taken
  ResetBeforeResponse,  // ECONNRESET, and no byte of a response
  EofBeforeResponse,    // orderly end, and no byte of a response
  NeverAccepted,        // still open, and silent, when its worker had long ended
  FailedMidResponse,    // the response had begun
  BadResponse,          // what the worker sent is not HTTP
  TimedOut,             // request_timeout
  ClientAborted,        // the client has gone
  ClientStalled,        // the client stopped sending its body
  BadBody,              // the body's chunks are malformed
};

enum class Transport { Unix, Tcp };

// What is known of a failed attempt.
struct Attempt {
  AttemptEnd end = AttemptEnd::Answered;
  Transport transport = Transport::Unix;
  bool has_body = false;
  bool body_kept = true;    // all of the body sent so far can be sent again
  bool idempotent = false;  // is_idempotent(method)
  bool may_have_run =
      false;             // an earlier attempt has been replayed on the idempotent method's word
  unsigned replays = 0;  // of requests that provably never ran
};

enum class Replay {
  No,
  NeverRan,    // back to the head of the queue, whatever the method
  Idempotent,  // may have run; running it again does no harm. Once.
};

inline constexpr unsigned kMostReplays = 10;

// The keep-alive race: a worker may close an idle connection just when a request is sent on it.
// What was provably never run is replayed whatever its method; what may have been run, only when
// its method is idempotent, and once.
Replay decide_replay(const Attempt& attempt);

// RFC 9110 9.2.2. Methods are case-sensitive.
bool is_idempotent(std::string_view method);

}  // namespace poolwarden::dispatch
