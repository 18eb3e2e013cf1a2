// Workers that are not well: pings unanswered, requests that wait and are not served, requests that
// take too long. Such a worker gets nothing more, and another one takes its place at once.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {
namespace {

using diagnosis::Intent;

Intent intent_of(Ailment ailment) {
  switch (ailment) {
    case Ailment::Ping:
      return Intent::PingTimeout;
    case Ailment::Deadlock:
      return Intent::Deadlock;
    case Ailment::RequestTimeout:
      return Intent::RequestTimeout;
  }
  return Intent::None;
}

bool is_past(std::optional<TimePoint> deadline, TimePoint now) {
  return deadline && *deadline <= now;
}

}  // namespace

void Pool::ping_begun(WorkerId id, TimePoint now) {
  if (Worker* worker = find(id)) worker->ping.begun(now);
}

void Pool::ping_ended(WorkerId id, worker::PingResult result, TimePoint now) {
  Worker* worker = find(id);
  if (!worker || result != worker::PingResult::Answered) return;
  worker->ping.answered();
  worker->watchdog.heard(now);
}

Decision Pool::worker_reports_unhealthy(WorkerId id, const std::string& reason, TimePoint now) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || worker->state != WorkerState::Serving) return decision;
  if (worker->owes == RecycleReason::WorkerRequest) return decision;  // it has said so before
  worker->owes = RecycleReason::WorkerRequest;
  worker->status_text = "unhealthy: " + reason;
  tell(EventKind::WorkerStatus, worker, "says that it is unhealthy: " + reason, decision);
  if (!is_to_be_recycled(id)) request(*worker, RecycleReason::WorkerRequest, BatchId::None, now);
  advance_recycling(now, decision);
  settle(now, decision);
  return decision;
}

Decision Pool::request_timed_out(WorkerId id, TimePoint now) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || worker->ailment) return decision;
  if (worker->state != WorkerState::Serving && worker->state != WorkerState::Draining)
    return decision;
  unhealthy(*worker, Ailment::RequestTimeout,
            "needs longer for a request than health.request_timeout (" +
                format_duration(settings_->health.request_timeout.value_or(Duration())) + ")",
            now, decision);
  settle(now, decision);
  return decision;
}

void Pool::traced(WorkerId id, bool by_debugger) {
  if (Worker* worker = find(id)) worker->is_traced = by_debugger;
}

// Only who has requests, or may get some, is looked after.
std::optional<TimePoint> Pool::health_deadline(const Worker& worker) const {
  const bool serves = worker.state == WorkerState::Serving || worker.state == WorkerState::Draining;
  const bool hangs = worker.ailment && *worker.ailment != Ailment::RequestTimeout;
  if (!serves || hangs || !is_wanted()) return std::nullopt;
  const auto ping = ping_deadline(worker);
  const auto deadlock = deadlock_deadline(worker);
  if (!ping || !deadlock) return ping ? ping : deadlock;
  return std::min(*ping, *deadlock);
}

std::optional<TimePoint> Pool::ping_deadline(const Worker& worker) const {
  const Ping& settings = settings_->health.ping;
  std::optional<TimePoint> at;
  if (settings.http_path) at = worker.ping.deadline(settings.timeout);
  if (!settings.notify) return at;
  const auto silent = worker.watchdog.deadline(settings.timeout);
  return at && silent ? std::min(*at, *silent) : (at ? at : silent);
}

std::optional<TimePoint> Pool::deadlock_deadline(const Worker& worker) const {
  const Health& settings = settings_->health;
  const auto since = worker.deadlock.silent_since();
  if (!settings.deadlock_after || !since) return std::nullopt;
  const TimePoint at = *since + *settings.deadlock_after;
  const auto& last = slots_[worker.name.slot].last_deadlock;
  return last ? std::max(at, *last + settings.deadlock_cooldown) : at;
}

std::vector<WorkerId> Pool::suspects(TimePoint now) const {
  std::vector<WorkerId> found;
  for (const auto& [id, worker] : workers_) {
    if (is_past(health_deadline(worker), now)) found.push_back(id);
  }
  return found;
}

void Pool::check_health(Worker& worker, TimePoint now, Decision& decision) {
  if (!is_past(health_deadline(worker), now)) return;
  const Health& settings = settings_->health;
  if (is_past(ping_deadline(worker), now)) {
    return unhealthy(
        worker, Ailment::Ping,
        std::string(settings.ping.http_path ? "has answered no ping" : "has not sent WATCHDOG=1") +
            " for health.ping.timeout (" + format_duration(settings.ping.timeout) + ")",
        now, decision);
  }
  unhealthy(worker, Ailment::Deadlock,
            "has answered none of its requests for health.deadlock.after (" +
                format_duration(*settings.deadlock_after) + ") while others wait",
            now, decision);
}

void Pool::unhealthy(Worker& worker, Ailment ailment, const std::string& sentence, TimePoint now,
                     Decision& decision) {
  if (worker.is_traced) {
    if (!worker.trace_told) {
      tell(EventKind::WorkerUnhealthyIgnored, &worker,
           sentence + "; it is left alone, for a debugger is attached to it", decision,
           AilmentDetails{ailment, false});
    }
    worker.trace_told = true;
    worker.ping = PingWatch();
    worker.watchdog.heard(now);
    worker.deadlock = DeadlockWatch();
    return;
  }
  if (ailment == Ailment::Deadlock) slots_[worker.name.slot].last_deadlock = now;
  worker.ailment = ailment;
  worker.intent = intent_of(ailment);
  worker.holds_slot = !fits_another(worker);
  const bool counts = !worker.failure_counted && !is_spare(worker);
  tell(EventKind::WorkerUnhealthy, &worker, sentence, decision, AilmentDetails{ailment, counts});
  worker.failure_counted = true;
  last_failure_ = now;

  if (may_be_kept()) {
    keep_aside(worker, now, decision);
  } else {
    end_unhealthy(worker, now, decision);
  }
  if (counts) {
    diagnosis::Diagnosis why;
    why.cause = cause_of(ailment);
    why.sentence = sentence;
    failed(worker, why, now, decision);
  }
  if (is_wanted()) fill(StartReason::Replace, now, decision);
}

// Some of its requests may get done all the same: they have as long as at a stop. Those that one
// request timed out beside have a limit of their own.
void Pool::end_unhealthy(Worker& worker, TimePoint now, Decision& decision) {
  const bool is_limited = worker.ailment == Ailment::RequestTimeout;
  const auto limit = is_limited ? std::nullopt : settings_->worker.stop.drain;
  if (worker.state == WorkerState::Draining) {
    if (limit) worker.deadline = std::min(worker.deadline.value_or(now + *limit), now + *limit);
    return;
  }
  if (!worker.published) return ask_to_stop(worker, now, decision);
  move(worker, WorkerState::Draining, now, limit);
  drain(worker, worker.intent, decision);
}

bool Pool::may_be_kept() const {
  return settings_->orphan.keep && count(WorkerState::Orphaned) < settings_->orphan.at_most;
}

// Out of service, but alive for whoever wants to look at it. It ends by itself, by an
// administrator's hand, or with the supervisor.
void Pool::keep_aside(Worker& worker, TimePoint now, Decision& decision) {
  move(worker, WorkerState::Orphaned, now, std::nullopt);
  worker.holds_slot = false;
  tell(EventKind::WorkerOrphaned, &worker,
       "is kept for inspection as process " + std::to_string(worker.name.pid) +
           "; end it with kill when you have seen enough",
       decision);
  if (worker.published) {
    worker.published = false;
    decision.actions.push_back(AbandonWorker{worker.name.id});
  }
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end())
    found->second.old_gone = true;
  if (settings_->orphan.action.empty()) return;
  decision.actions.push_back(
      RunHook{"orphan.action",
              settings_->orphan.action,
              {{"POOLWARDEN_EVENT", std::string(type_of(EventKind::WorkerOrphaned).name)},
               {"POOLWARDEN_POOL", settings_->name},
               {"POOLWARDEN_WORKER", std::to_string(worker.name.slot)},
               {"POOLWARDEN_GENERATION", std::to_string(worker.name.generation)},
               {"POOLWARDEN_PID", std::to_string(worker.name.pid)},
               {"POOLWARDEN_DIAGNOSIS", std::string(name(cause_of(*worker.ailment)))},
               {"PID", std::to_string(worker.name.pid)}}});
}

}  // namespace poolwarden::pool
