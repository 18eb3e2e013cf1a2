// What is seen of a pool from time to time, and what follows from it: who is due to be recycled,
// who has nothing to do, whether there are too many workers or too few.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {
namespace {

constexpr Duration kSlowest = std::chrono::seconds(1);
constexpr Duration kFastest = std::chrono::milliseconds(50);
constexpr Duration kQuick = std::chrono::milliseconds(200);
// A queue that stays long although a worker was recycled for it: how long until the next one.
constexpr Duration kQueueRecycleEvery = std::chrono::seconds(10);

}  // namespace

std::optional<Duration> Pool::observation_interval() const {
  if (!is_wanted()) return std::nullopt;
  Duration interval = kSlowest;
  const auto within =
      [&](std::optional<Duration> limit) {  // noticed by a quarter of the limit late
        if (limit) interval = std::min(interval, std::max(*limit / 4, kFastest));
      };
  within(settings_->recycle.after_time);
  if (uses_http()) {
    within(settings_->idle.after);
    within(settings_->health.deadlock_after);
    if (max_ > min_) within(settings_->idle.spare_after);
    if (settings_->recycle.after_requests || max_ > min_) interval = std::min(interval, kQuick);
  }
  return interval;
}

Decision Pool::observe(const Observation& seen, TimePoint now, WallTime wall) {
  Decision decision;
  memory_total_ = seen.memory_total;
  memory_free_.reset();
  if (seen.memory_used && seen.memory_total > 0)
    memory_free_ = seen.memory_total - std::min(*seen.memory_used, seen.memory_total);
  for (const auto& [id, what] : seen.workers) {
    if (Worker* worker = find(id)) look_at(*worker, what, seen.waiting > 0, now);
  }
  const bool time_has_come = schedule_.has_come(wall);
  if (!is_wanted()) return decision;
  if (time_has_come) {
    for (auto& [id, worker] : workers_) {
      if (worker.state == WorkerState::Serving) worker.owes = RecycleReason::Schedule;
    }
  }
  apply_rules(seen, now, decision);
  return decision;
}

void Pool::look_at(Worker& worker, const WorkerObservation& seen, bool requests_wait,
                   TimePoint now) {
  if (seen.usage.memory) worker.memory = seen.usage.memory;
  // One that is to leave holds up who waits for that, whether or not others wait for an answer.
  const bool leaves = worker.state == WorkerState::Draining;
  worker.deadlock.observe(seen, requests_wait || leaves, now);
  worker.idle.observe(seen, now);
}

void Pool::apply_rules(const Observation& seen, TimePoint now, Decision& decision) {
  for (const auto& [id, what] : seen.workers) {
    const Worker* worker = find(id);
    if (!worker || worker->state != WorkerState::Serving || is_to_be_recycled(id)) continue;
    if (const auto reason = due(*worker, what, now)) request(*worker, *reason, BatchId::None, now);
  }
  if (uses_http()) {
    check_queue(seen, now);
    check_idle(seen, now, decision);
    grow_or_shrink(seen, now, decision);
  }
  advance_recycling(now, decision);
  settle(now, decision);
}

std::optional<RecycleReason> Pool::due(const Worker& worker, const WorkerObservation& seen,
                                       TimePoint now) const {
  if (worker.not_before && now < *worker.not_before) return std::nullopt;
  const double jitter = jitter_of(around_.jitter_seed, worker.name.id);
  const RecycleLimits limits = recycle_limits(settings_->recycle, jitter, memory_total_);
  const auto reason = due_reason(limits, seen, now - worker.ready_at.value_or(now));
  return reason ? reason : worker.owes;
}

// Too many wait: one worker is held to be stuck, the one that has been silent for longest.
void Pool::check_queue(const Observation& seen, TimePoint now) {
  const auto& limit = settings_->queue.recycle_over;
  if (!limit || seen.waiting <= *limit) {
    queue_recycled_.reset();
    return;
  }
  if (queue_recycled_ && now - *queue_recycled_ < kQueueRecycleEvery) return;
  const Worker* silent = nullptr;
  TimePoint heard{};
  for (const auto& [id, what] : seen.workers) {
    const Worker* worker = find(id);
    if (!worker || worker->state != WorkerState::Serving || is_to_be_recycled(id)) continue;
    const TimePoint last = what.last_response.value_or(TimePoint{});
    if (!silent || last < heard) {
      silent = worker;
      heard = last;
    }
  }
  if (!silent || !recycling_.empty()) return;
  queue_recycled_ = now;
  request(*silent, RecycleReason::QueueLimit, BatchId::None, now);
}

}  // namespace poolwarden::pool
