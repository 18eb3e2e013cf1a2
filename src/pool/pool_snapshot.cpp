// A pool as values for those who look at it: status, API, metrics, people who wait.

#include <algorithm>

#include "base/units.h"
#include "pool/backoff.h"
#include "pool/pool.h"

namespace poolwarden::pool {

PoolSnapshot Pool::snapshot(TimePoint now, WallTime wall) const {
  const auto at = [&](TimePoint time) {
    return wall + std::chrono::duration_cast<WallTime::duration>(time - now);
  };
  const auto maybe_at = [&](std::optional<TimePoint> time) {
    return time ? std::optional(at(*time)) : std::nullopt;
  };
  PoolSnapshot shot;
  shot.settings = settings_;
  shot.state = state_;
  shot.disabled = disabled_;
  shot.disabled_because = disabled_because_;
  shot.workers_desired = is_wanted() ? desired() : 0;
  shot.workers_min = min_;
  shot.workers_max = max_;
  shot.running_since = maybe_at(running_since_);
  shot.last_state_change = at(last_change_);
  shot.running_total = running_total_;
  shot.window_failures = rapid_fail_.failures_in_window(now);
  shot.last_trip = maybe_at(last_trip_);
  if (is_wanted()) shot.next_recycle_at = schedule_.next(wall);
  shot.last_failure = maybe_at(last_failure_);
  shot.last_certificate = last_certificate_;
  for (const Slot& slot : slots_) {
    if (!slot.respawn_at) continue;
    shot.backoff = std::max(shot.backoff, restart_delay(slot.failures_in_a_row));
    if (!shot.next_start || at(*slot.respawn_at) < *shot.next_start)
      shot.next_start = at(*slot.respawn_at);
  }
  for (const auto& [id, worker] : workers_) {
    WorkerSnapshot seen;
    seen.name = worker.name;
    seen.state = worker.state;
    seen.started = at(worker.spawned);
    seen.ready = maybe_at(worker.ready_at);
    seen.status_text = worker.status_text;
    seen.unhealthy = worker.ailment.has_value();
    shot.workers.push_back(std::move(seen));
  }
  std::stable_sort(shot.workers.begin(), shot.workers.end(), [](const auto& a, const auto& b) {
    return a.name.slot < b.name.slot;  // of a slot, the older one first
  });
  return shot;
}

std::string Pool::holdup(TimePoint now) const {
  std::string text;
  for (const auto& [id, worker] : workers_) {
    const bool is_in_place =
        worker.state == WorkerState::Serving || worker.state == WorkerState::Suspended;
    if (is_in_place || worker.state == WorkerState::Orphaned) continue;
    if (!text.empty()) text += ", ";
    text += "worker " + std::to_string(worker.name.slot) + " (pid " +
            std::to_string(worker.name.pid) + ") has been " +
            std::string(worker::name(worker.state)) + " for " +
            describe_duration(now - worker.since);
  }
  for (const Ticket& ticket : tickets_) {
    if (!ticket.deferred) continue;
    if (!text.empty()) text += ", ";
    text += "the recycle of worker " + std::to_string(ticket.slot) + " waits (" +
            std::string(pool::name(*ticket.deferred)) + ")";
  }
  return text;
}

}  // namespace poolwarden::pool
