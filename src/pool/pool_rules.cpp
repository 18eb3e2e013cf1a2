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
constexpr int kLooksUntilUntracked = 2;

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
    if (Worker* worker = find(id)) look_at(*worker, what, seen.waiting > 0, now, decision);
  }
  const bool time_has_come = schedule_.has_come(wall);
  if (!is_wanted()) return decision;
  if (time_has_come) {
    for (auto& [id, worker] : workers_) {
      const bool is_up =
          worker.state == WorkerState::Serving || worker.state == WorkerState::Suspending;
      if (is_up && !worker.owes) worker.owes = RecycleReason::Schedule;
      if (worker.state == WorkerState::Suspended)
        replace_suspended(worker, RecycleReason::Schedule, BatchId::None, now, decision);
    }
  }
  apply_rules(seen, now, decision);
  return decision;
}

void Pool::look_at(Worker& worker, const WorkerObservation& seen, bool requests_wait, TimePoint now,
                   Decision& decision) {
  if (seen.usage.memory) worker.memory = seen.usage.memory;
  if (seen.is_traced) traced(worker.name.id, *seen.is_traced);
  worker.deadlock.observe(seen, requests_wait, now);
  worker.idle.observe(seen, now);
  check_cpu(worker, seen.usage, now, decision);
  check_containment(worker, seen.usage, decision);
}

// Seen once, it may just be ending.
void Pool::check_containment(Worker& worker, const worker::Usage& seen, Decision& decision) {
  if (worker.state != WorkerState::Serving || !seen.is_contained) return;
  if (*seen.is_contained) {
    worker.looks_outside_its_cgroup = 0;
  } else if (++worker.looks_outside_its_cgroup == kLooksUntilUntracked) {
    tell(EventKind::WorkerUntracked, &worker,
         "runs, but its cgroup does not hold it any more: its limits do not hold. Find out what "
         "moved it (another manager of cgroups?), and recycle it",
         decision);
  }
}

// Whoever leaves anyway is left in peace. What a reload has changed is for new workers; how long
// the window is, for all.
void Pool::check_cpu(Worker& worker, const worker::Usage& seen, TimePoint now, Decision& decision) {
  if (worker.state != WorkerState::Serving) return;
  worker.limits.cpu_window = settings_->worker.limits.cpu_window;
  const worker::Limits& limits = worker.limits;
  const auto trouble = worker.cpu.observe(seen, limits, now);
  if (!trouble) return;
  std::string sentence = describe(*trouble, limits);
  const bool is_to_go = limits.cpu_action == worker::CpuAction::Kill;
  if (is_to_go && worker.is_traced)
    sentence += "; it is left alone, for a debugger is attached to it";
  tell(trouble->throttled ? EventKind::WorkerThrottled : EventKind::WorkerOverCpu, &worker,
       std::move(sentence), decision);
  if (is_to_go && !worker.is_traced) worker.owes = RecycleReason::Cpu;
}

void Pool::apply_rules(const Observation& seen, TimePoint now, Decision& decision) {
  for (const auto& [id, what] : seen.workers) {
    Worker* worker = find(id);
    if (!worker || worker->state != WorkerState::Serving || recycling_.contains(id)) continue;
    const auto reason = due(*worker, what, now);
    if (!reason) continue;
    if (worker->is_traced && is_reactive(*reason)) {
      leave_alone(*worker, "is over a limit", Ailment::Memory, now, decision);
    } else {
      ask_by_rule(*worker, *reason, now);
    }
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

// Who waits already goes before the others when it begins to do harm.
void Pool::ask_by_rule(const Worker& worker, RecycleReason reason, TimePoint now) {
  const auto waiting = std::find_if(tickets_.begin(), tickets_.end(), [&](const Ticket& ticket) {
    return ticket.old == worker.name.id;
  });
  if (recycling_.contains(worker.name.id)) return;
  if (waiting == tickets_.end()) return request(worker, reason, BatchId::None, now);
  if (!is_reactive(reason) || is_reactive(waiting->reason)) return;
  Ticket raised = *waiting;
  raised.reason = reason;
  tickets_.erase(waiting);
  tickets_.push_front(raised);
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
    if (worker->is_traced) continue;
    const TimePoint ready = worker->ready_at.value_or(now);
    const TimePoint last = std::max(what.last_response.value_or(ready), ready);
    if (!silent || last < heard) {
      silent = worker;
      heard = last;
    }
  }
  if (!silent || under_way(now) > 0) return;
  queue_recycled_ = now;
  request(*silent, RecycleReason::QueueLimit, BatchId::None, now);
}

}  // namespace poolwarden::pool
