// Workers that have nothing to do: stopped, or suspended and woken again.

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

void Pool::check_idle(const Observation& seen, TimePoint now, Decision& decision) {
  if (!settings_->idle.after) return set_idle_divisor(1, decision);
  set_idle_divisor(
      idle_divisor(settings_->idle.under_pressure_percent, seen.memory_used, seen.memory_total),
      decision);
  const Duration limit = *settings_->idle.after / idle_divisor_;
  for (auto& [id, worker] : workers_) {
    if (worker.state != WorkerState::Serving || is_to_be_recycled(id)) continue;
    const auto idle_for = worker.idle.idle_for(now);
    if (!idle_for || *idle_for < limit) continue;
    if (settings_->idle.action == IdleAction::Suspend && !cannot_suspend_) {
      move(worker, WorkerState::Suspending, now, std::nullopt);
      drain(worker, Intent::IdleTimeout, decision);
      continue;
    }
    tell(EventKind::WorkerIdle, &worker,
         "had no request for " + format_duration(limit) + " and is stopped", decision,
         IdleDetails{idle_divisor_ > 1});
    unwant(worker.name.slot);
    leave(worker, Intent::IdleTimeout, now, decision);
  }
}

void Pool::set_idle_divisor(std::uint32_t divisor, Decision& decision) {
  if (divisor == idle_divisor_) return;
  constexpr std::uint32_t kAggressive = 8;
  const bool eases_off = divisor == 1;
  const bool is_aggressive = divisor >= kAggressive && idle_divisor_ < kAggressive;
  if (eases_off) {
    tell(EventKind::IdleRestored, nullptr, "lets idle workers wait for idle.after again", decision);
  } else if (idle_divisor_ == 1 || is_aggressive) {
    tell(EventKind::IdleShortened, nullptr,
         "ends idle workers after 1/" + std::to_string(divisor) +
             " of idle.after, for memory is short",
         decision, ShorteningDetails{divisor >= kAggressive});
  }
  idle_divisor_ = divisor;
}

// The gateway has nothing for it any more and forgets it; it keeps its place and its process.
void Pool::suspend(Worker& worker, TimePoint now, Decision& decision) {
  move(worker, WorkerState::Suspended, now, std::nullopt);
  if (worker.owes) return replace_suspended(worker, *worker.owes, BatchId::None, now, decision);
  tell(EventKind::WorkerSuspended, &worker,
       "had no request for idle.after and is suspended until one comes", decision);
  decision.actions.push_back(SuspendWorker{worker.name.id});
}

// It serves nobody, so it waits for nothing, and its replacement need not overlap.
void Pool::replace_suspended(Worker& worker, RecycleReason reason, BatchId batch, TimePoint now,
                             Decision& decision) {
  begin_recycling(make_ticket(worker, reason, batch, now), RecycleWay::InPlace, now, decision);
}

void Pool::resume(Worker& worker, TimePoint now, Decision& decision) {
  const bool was_frozen = worker.state == WorkerState::Suspended;
  move(worker, WorkerState::Serving, now, std::nullopt);
  worker.idle.woken(now);
  watch_anew(worker, now);
  if (was_frozen) {
    tell(EventKind::WorkerResumed, &worker, "is woken for a request", decision);
    decision.actions.push_back(ResumeWorker{worker.name.id});
  }
  decision.actions.push_back(PublishWorker{worker.name.id});
}

// Whether there was one to be woken. One that is only being suspended has a request, perhaps a long
// one: it is taken back when there is no other.
bool Pool::resume_one(TimePoint now, Decision& decision) {
  for (const WorkerState asleep : {WorkerState::Suspended, WorkerState::Suspending}) {
    for (auto& [id, worker] : workers_) {
      if (worker.state != asleep) continue;
      resume(worker, now, decision);
      return true;
    }
  }
  return false;
}

Decision Pool::suspend_failed(WorkerId id, const std::string& why, TimePoint now) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || worker->state != WorkerState::Suspended) return decision;
  cannot_suspend_ = true;
  tell(EventKind::ContainmentDegraded, worker,
       why + "; idle workers are stopped instead of suspended", decision);
  move(*worker, WorkerState::Serving, now, std::nullopt);
  decision.actions.push_back(PublishWorker{id});
  settle(now, decision);
  return decision;
}

}  // namespace poolwarden::pool
