// What is seen of a pool from time to time: of its workers, its queue, and the memory around them.
// Gathered by supervisor/pool_runner from the scoreboard and the worker host.

#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.h"
#include "worker/usage.h"
#include "worker/worker_state.h"

namespace poolwarden::pool {

struct WorkerObservation {
  std::uint64_t requests = 0;   // answered so far
  std::uint32_t in_flight = 0;  // tunnels included
  std::uint32_t tunnels = 0;
  std::optional<TimePoint> last_response;  // it last sent a byte of a response
  // Absent where it was not looked at this time.
  worker::Usage usage;
  std::optional<bool> is_traced;  // a debugger is attached
};

struct Observation {
  std::uint64_t waiting = 0;  // requests in the queue
  std::map<worker::WorkerId, WorkerObservation> workers;
  // Bytes that this container may use; percentages are of it.
  std::uint64_t memory_total = 0;
  // Bytes of it that are in use and cannot be taken back at no cost; absent where it is not known.
  std::optional<std::uint64_t> memory_used;
};

}  // namespace poolwarden::pool
