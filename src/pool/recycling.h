// What a recycle is while it waits and while it is under way: a ticket for each worker, and the
// progress of those that were asked for together.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "pool/event.h"
#include "pool/recycle_floor.h"

namespace poolwarden::pool {

// How a request to recycle workers is getting on; a ticket each.
struct RecycleProgress {
  std::uint32_t total = 0;
  std::uint32_t done = 0;
  std::uint32_t failed = 0;
  std::string last_failure;

  bool finished() const { return done + failed >= total; }
};

// Tickets that one order asked for. Those that a rule asked for belong to none.
enum class BatchId : std::uint64_t { None = 0 };

struct Ticket {
  WorkerId old{};
  std::uint32_t slot = 0;
  RecycleReason reason{};
  BatchId batch{};
  TimePoint begun{};
  std::optional<Deferral> deferred;  // why it waits, as far as it has been told
  bool old_gone = false;
  bool replaced = false;  // a new worker has been ready in the slot
};

// How long to wait before a worker's replacement is tried again, after so many have failed.
Duration recycle_retry_delay(std::uint32_t failures);

}  // namespace poolwarden::pool
