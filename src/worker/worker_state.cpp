#include "worker/worker_state.h"

#include "base/match.h"

namespace poolwarden::worker {

bool can_become(WorkerState from, WorkerState to) {
  using enum WorkerState;
  switch (from) {
    case Starting:
      return to == Serving || to == Stopping || to == Killing || to == Exited;
    case Serving:
      return to == Suspending || to == Draining || to == Stopping || to == Killing ||
             to == Orphaned || to == Exited;
    case Suspending:
      return to == Suspended || to == Serving || to == Draining || to == Stopping ||
             to == Killing || to == Exited;
    case Suspended:
      return to == Serving || to == Stopping || to == Killing || to == Exited;
    case Orphaned:
      return to == Killing || to == Exited;
    case Draining:
      return to == Stopping || to == Killing || to == Orphaned || to == Exited;
    case Stopping:
      return to == Killing || to == Exited;
    case Killing:
      return to == Exited;
    case Exited:
      return false;
  }
  return false;
}

std::string_view name(WorkerState state) {
  using enum WorkerState;
  switch (state) {
    case Starting:
      return "starting";
    case Serving:
      return "serving";
    case Suspending:
      return "suspending";
    case Suspended:
      return "suspended";
    case Draining:
      return "draining";
    case Stopping:
      return "stopping";
    case Killing:
      return "killing";
    case Orphaned:
      return "orphaned";
    case Exited:
      return "exited";
  }
  return "unknown";
}

std::string describe(const Endpoint& endpoint) {
  return std::visit(
      Match{
          [](const UnixEndpoint& unix_end) { return "unix:" + unix_end.path; },
          [](const TcpEndpoint& tcp) { return tcp.host + ":" + std::to_string(tcp.port); },
      },
      endpoint);
}

}  // namespace poolwarden::worker
