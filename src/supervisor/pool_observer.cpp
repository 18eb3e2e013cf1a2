#include "supervisor/pool_observer.h"

#include <algorithm>

namespace poolwarden::supervisor {
namespace {

constexpr Duration kUsageEvery = std::chrono::seconds(1);

std::uint32_t small(const link::Cell& cell) {
  constexpr std::uint64_t kMost = 0xffffffff;  // the writer is trusted with nothing
  return static_cast<std::uint32_t>(std::min(link::load(cell), kMost));
}

}  // namespace

pool::Observation PoolObserver::observe(const std::vector<worker::WorkerId>& workers,
                                        const std::map<worker::WorkerId, std::uint32_t>& rows,
                                        TimePoint now) {
  const bool looks_at_usage = now >= next_usage_;
  if (looks_at_usage) {
    next_usage_ = now + kUsageEvery;
    seen_ = memory_();
  }
  pool::Observation seen;
  seen.memory_total = seen_.total;
  seen.memory_used = seen_.used;
  seen.waiting = link::load(board_.pools[pool_row_].queue_length);
  for (const worker::WorkerId id : workers) {
    const auto row = rows.find(id);
    pool::WorkerObservation& worker = seen.workers[id];
    if (row != rows.end()) worker = of_worker(row->second, now);
    if (!looks_at_usage) continue;
    worker.usage = host_.usage(id);
    worker.is_traced = host_.is_traced(id);
  }
  return seen;
}

pool::WorkerObservation PoolObserver::of_worker(std::uint32_t row, TimePoint now) const {
  const link::WorkerRow& cells = board_.workers[row];
  pool::WorkerObservation worker;
  worker.requests = link::load(cells.requests);
  worker.in_flight = small(cells.in_flight);
  worker.tunnels = small(cells.tunnels);
  const auto since_boot = std::chrono::nanoseconds(link::load(cells.last_response));
  if (since_boot.count() > 0) worker.last_response = std::min(TimePoint(since_boot), now);
  return worker;
}

}  // namespace poolwarden::supervisor
