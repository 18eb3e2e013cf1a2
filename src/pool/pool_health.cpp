// Workers that are not well: pings unanswered, requests that wait and are not served, requests that
// take too long. Such a worker gets nothing more, and another one takes its place at once.

#include <algorithm>
#include <utility>

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
    case Ailment::Memory:
    case Ailment::Reported:
      break;  // these are recycled
  }
  return Intent::None;
}

// A deadline that is noticed so late was slept through: the container was paused, or others had the
// processors. What was not heard meanwhile says nothing.
bool was_slept_through(TimePoint deadline, Duration limit, TimePoint now) {
  return now - deadline > std::min<Duration>(std::chrono::seconds(5), limit / 2);
}

bool is_past(std::optional<TimePoint> deadline, TimePoint now) {
  return deadline && *deadline <= now;
}

}  // namespace

void Pool::ping_begun(WorkerId id, TimePoint now) {
  if (Worker* worker = find(id)) worker->ping.begun(now);
}

void Pool::ping_ended(WorkerId id, const worker::PingAnswer& answer, TimePoint now) {
  Worker* worker = find(id);
  if (!worker) return;
  worker->ping.ended(answer);
  if (answer.result == worker::PingResult::Answered) worker->watchdog.heard(now);
}

Decision Pool::worker_reports_unhealthy(WorkerId id, const std::string& reason, TimePoint now) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || worker->state != WorkerState::Serving) return decision;
  if (worker->owes == RecycleReason::WorkerRequest) return decision;  // it has said so before
  if (worker->is_traced) {
    leave_alone(*worker, "says that it is unhealthy: " + reason, Ailment::Reported, now, decision);
    return decision;
  }
  worker->owes = RecycleReason::WorkerRequest;
  worker->status_text = "unhealthy: " + reason;
  tell(EventKind::WorkerStatus, worker, "says that it is unhealthy: " + reason, decision);
  ask_by_rule(*worker, RecycleReason::WorkerRequest, now);
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
  Worker* worker = find(id);
  if (!worker) return;
  worker->is_traced = by_debugger;
  if (!by_debugger) worker->trace_told = false;
}

// Only who has requests, or may get some, is looked after. A queue waits for nobody who leaves, so
// that one's silence is no deadlock: it may be a long answer.
std::optional<TimePoint> Pool::health_deadline(const Worker& worker) const {
  const bool serves = worker.state == WorkerState::Serving;
  const bool hangs = worker.ailment && *worker.ailment != Ailment::RequestTimeout;
  if ((!serves && worker.state != WorkerState::Draining) || hangs || !is_wanted())
    return std::nullopt;
  const auto ping = ping_deadline(worker);
  const auto deadlock = serves ? deadlock_deadline(worker) : std::nullopt;
  if (!ping || !deadlock) return ping ? ping : deadlock;
  return std::min(*ping, *deadlock);
}

std::optional<TimePoint> Pool::ping_deadline(const Worker& worker) const {
  const Ping& settings = worker.pings;
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
  const auto deadline = health_deadline(worker);
  if (!is_past(deadline, now)) return;
  const Ailment found = is_past(ping_deadline(worker), now) ? Ailment::Ping : Ailment::Deadlock;
  if (was_slept_through(*deadline, *limit_of(worker, found), now)) return watch_anew(worker, now);
  if (found == Ailment::Ping) {
    const Duration timeout = worker.pings.timeout;
    const bool is_asked = is_past(worker.ping.deadline(timeout), now);
    return unhealthy(worker, Ailment::Ping,
                     (is_asked ? worker.ping.words() : "has not sent WATCHDOG=1") +
                         " for health.ping.timeout (" + format_duration(timeout) + ")",
                     now, decision);
  }
  unhealthy(worker, Ailment::Deadlock,
            "has answered none of its requests for health.deadlock.after (" +
                format_duration(settings_->health.deadlock_after.value_or(Duration())) +
                ") while others wait",
            now, decision);
}

void Pool::watch_anew(Worker& worker, TimePoint now) {
  worker.ping = PingWatch();
  worker.watchdog.heard(now);
  worker.deadlock = DeadlockWatch();
}

void Pool::leave_alone(Worker& worker, const std::string& sentence, Ailment ailment, TimePoint now,
                       Decision& decision) {
  if (!std::exchange(worker.trace_told, true)) {
    tell(EventKind::WorkerUnhealthyIgnored, &worker,
         sentence + "; it is left alone, for a debugger is attached to it", decision,
         AilmentDetails{ailment});
  }
  watch_anew(worker, now);
}

// That it did not keep.
std::optional<Duration> Pool::limit_of(const Worker& worker, Ailment ailment) const {
  switch (ailment) {
    case Ailment::Ping:
      return worker.pings.timeout;
    case Ailment::Deadlock:
      return settings_->health.deadlock_after;
    case Ailment::RequestTimeout:
      return settings_->health.request_timeout;
    case Ailment::Memory:
    case Ailment::Reported:
      break;
  }
  return std::nullopt;
}

void Pool::unhealthy(Worker& worker, Ailment ailment, const std::string& sentence, TimePoint now,
                     Decision& decision) {
  if (worker.is_traced) return leave_alone(worker, sentence, ailment, now, decision);
  const bool counts =
      is_wanted() && !worker.failure_counted && !is_spare(worker) && worker.debug_tool.empty();
  const bool is_first = !worker.ailment && !recycling_.contains(worker.name.id);
  tell(EventKind::WorkerUnhealthy, &worker, sentence, decision,
       AilmentDetails{ailment, counts, is_first});
  if (ailment == Ailment::Deadlock) slots_[worker.name.slot].last_deadlock = now;
  worker.ailment = ailment;
  worker.intent = intent_of(ailment);
  worker.overran = limit_of(worker, ailment);
  worker.fills_memory = !fits_another(worker);
  worker.failure_counted = true;
  last_failure_ = now;

  examine(worker, decision);
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
  if (is_wanted()) {
    fill(StartReason::Replace, now, decision);
    advance_recycling(now, decision);
  }
}

// Some of its requests may get done all the same: they have as long as at a stop. Those that one
// request timed out beside have a limit of their own.
void Pool::end_unhealthy(Worker& worker, TimePoint now, Decision& decision) {
  const bool is_limited = worker.ailment == Ailment::RequestTimeout;
  const Duration drain_limit = settings_->worker.stop.drain.value_or(*worker::Stop{}.drain);
  const auto limit = is_limited ? std::nullopt : std::optional(drain_limit);
  if (worker.state == WorkerState::Draining) {
    if (limit) worker.deadline = std::min(worker.deadline.value_or(now + *limit), now + *limit);
    return;
  }
  if (!worker.published) return ask_to_stop(worker, now, decision);
  move(worker, WorkerState::Draining, now, limit);
  tell(EventKind::WorkerDraining, &worker, "takes no new requests", decision);
  drain(worker, worker.intent, decision);
}

bool Pool::may_be_kept() const {
  return settings_->orphan.keep && count(WorkerState::Orphaned) < settings_->orphan.at_most;
}

// Out of service, but alive for whoever wants to look at it. It ends by itself, by an
// administrator's hand, or with the supervisor.
void Pool::keep_aside(Worker& worker, TimePoint now, Decision& decision) {
  move(worker, WorkerState::Orphaned, now, std::nullopt);
  worker.kept_aside = true;
  worker.in_place = worker.fills_memory = false;
  tell(EventKind::WorkerOrphaned, &worker,
       "is kept for inspection as process " + std::to_string(worker.name.pid) +
           "; end it with kill when you have seen enough",
       decision);
  if (worker.published) {
    worker.published = false;
    decision.actions.push_back(AbandonWorker{worker.name.id});
  }
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end()) {
    found->second.old_gone = true;  // as far as its place is concerned
    conclude(worker.name.id, worker, now, decision);
  }
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
