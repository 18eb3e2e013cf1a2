// The life of one worker.
//
//   Starting --ready--> Serving --drain--> Draining --idle--> Stopping --deadline--> Killing
//                       ^    | \                                 \                     |
//         demand, resume|    |  \--unhealthy, kept--> Orphaned    +------> Exited <----+
//                       |    | idle
//                  Suspended <- Suspending
//
// Any state may skip ahead to Stopping (it is told to end now), to Killing (its whole tree is
// killed), or to Exited (it died). Only suspension goes back. An Orphaned worker is out of its
// pool's hands: it ends by itself, by an administrator, or with the supervisor.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace poolwarden::worker {

enum class WorkerId : std::uint64_t {};  // never reused, unlike a pid

inline std::uint64_t number(WorkerId id) { return static_cast<std::uint64_t>(id); }

enum class WorkerState {
  Starting,
  Serving,
  Suspending,  // idle: takes no requests, and will be frozen when none is in flight
  Suspended,
  Draining,
  Stopping,
  Killing,
  Orphaned,
  Exited,
};

bool can_become(WorkerState from, WorkerState to);
std::string_view name(WorkerState state);

// Where a worker listens.
struct UnixEndpoint {
  std::string path;
  bool operator==(const UnixEndpoint&) const = default;
};
struct TcpEndpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const TcpEndpoint&) const = default;
};
using Endpoint = std::variant<UnixEndpoint, TcpEndpoint>;

std::string describe(const Endpoint& endpoint);  // "unix:/run/…", "127.0.0.1:4711"

}  // namespace poolwarden::worker
