// One worker of a pool, from state to state: spawned, ready, drained, asked to stop, killed.

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

namespace {
constexpr std::size_t kMostLeavingBeside = 3;  // beside the one that has the slot

std::string describe_ready_limit(std::optional<TimePoint> deadline, TimePoint now) {
  return deadline ? describe_duration(*deadline - now) : "as long as it takes";
}
}  // namespace

void Pool::fill(StartReason reason, TimePoint now, Decision& decision) {
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    if (!slots_[number].respawn_at && is_open(number))
      spawn(number, reason, std::nullopt, now, decision);
  }
}

// Whether the slot lacks a worker and nothing that is under way will give it one. A worker that is
// being killed for a failure keeps its slot until that failure has been counted; one that is
// recycled in place keeps it until it is gone; and whoever starts and stops a pool in quick
// succession does not pile up workers that still leave.
bool Pool::is_open(std::uint32_t slot) const {
  if (!slots_[slot].wanted) return false;
  std::size_t leaving = 0;
  for (const auto& [id, worker] : workers_) {
    if (worker.name.slot != slot || worker.state == WorkerState::Orphaned) continue;
    const bool has_it =
        worker.state == WorkerState::Starting || worker.state == WorkerState::Serving ||
        worker.state == WorkerState::Suspending || worker.state == WorkerState::Suspended;
    if (has_it || worker.in_place || worker.fills_memory) return false;
    if (!diagnosis::is_expected(worker.intent) && !worker.failure_counted) return false;
    if (worker.intent == Intent::PoolStop || worker.intent == Intent::Reload) ++leaving;
  }
  return leaving < kMostLeavingBeside;
}

void Pool::spawn(std::uint32_t slot, StartReason reason, std::optional<WorkerId> replaces,
                 TimePoint now, Decision& decision) {
  const WorkerId id = around_.ids->next();
  Worker worker;
  worker.pings = settings_->health.ping;
  worker.limits = settings_->worker.limits;
  worker.name = {id, slot, ++slots_[slot].generations, 0};
  worker.spawned = worker.since = now;
  worker.replaces = replaces ? replaces : awaiting_successor(slot);
  auto debug = debugging_.taken_by(id, slot);
  if (debug) worker.debug_tool = debug->tool;
  if (const auto limit = ready_limit(debug, settings_->worker.ready.timeout))
    worker.deadline = now + *limit;
  const Worker& kept = workers_.emplace(id, std::move(worker)).first->second;
  tell(EventKind::WorkerStarting, &kept, "is being started", decision,
       StartingDetails{kept.replaces ? StartReason::Recycle : reason});
  if (!debug) return decision.actions.push_back(SpawnWorker{kept.name});
  tell(EventKind::WorkerDebugged, &kept,
       "starts under " + debug->tool + "; it may take " + describe_ready_limit(kept.deadline, now) +
           " to become ready, and its failure does not count",
       decision);
  decision.actions.push_back(
      SpawnWorker{kept.name, std::move(debug->wrapper), std::move(debug->environment)});
}

Pool::Worker* Pool::find(WorkerId id) {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : &found->second;
}

Decision Pool::worker_spawned(WorkerId id, int pid) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker) return decision;
  worker->name.pid = pid;
  tell(EventKind::WorkerSpawned, worker, "runs as process " + std::to_string(pid), decision);
  return decision;
}

Decision Pool::worker_ready(WorkerId id, TimePoint now) {
  Decision decision;
  Worker* found = find(id);
  // It may have been told to stop, or have ended, while its readiness was on the way.
  if (!found || found->state != WorkerState::Starting) return decision;
  Worker& worker = *found;
  const Duration startup = now - worker.spawned;
  worker.ready_at = now;
  worker.idle = IdleWatch(now);
  worker.watchdog.heard(now);
  move(worker, WorkerState::Serving, now, std::nullopt);
  crashed_ = false;
  tell(EventKind::WorkerReady, &worker, "is ready after " + describe_duration(startup), decision,
       ReadyDetails{startup});
  if (uses_http()) {
    worker.published = true;
    decision.actions.push_back(PublishWorker{id});
  }
  if (worker.replaces) replacement_ready(worker, now, decision);
  advance_recycling(now, decision);  // what waited for enough others to serve
  settle(now, decision);
  return decision;
}

Decision Pool::worker_status(WorkerId id, const std::string& text) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || worker->status_text == text) return decision;
  worker->status_text = text;
  tell(EventKind::WorkerStatus, worker, "says: " + text, decision);
  return decision;
}

void Pool::drain_broken(WorkerId id) {
  Worker* worker = find(id);
  if (worker && worker->state == WorkerState::Draining) worker->cut_a_request_short = true;
}

Decision Pool::worker_drained(WorkerId id, std::uint32_t mark, TimePoint now) {
  Decision decision;
  Worker* worker = find(id);
  if (!worker || mark != worker->drain_mark) return decision;
  if (worker->state == WorkerState::Suspending) suspend(*worker, now, decision);
  if (worker->state == WorkerState::Draining) ask_to_stop(*worker, now, decision);
  settle(now, decision);
  return decision;
}

// Takes a worker out of service: drained first if it serves requests.
void Pool::leave(Worker& worker, Intent why, TimePoint now, Decision& decision) {
  const bool leaves_pool =
      why == Intent::PoolStop || why == Intent::Shutdown || why == Intent::Reload;
  std::optional<Duration> limit;  // what is not the end of all waits for requests in flight
  if (why == Intent::PoolStop) limit = settings_->worker.stop.drain;
  // What it is to be rid of, it does for as long as it has requests.
  if (why == Intent::Recycle && worker.owes == RecycleReason::Cpu)
    limit = settings_->worker.stop.drain;
  if (why == Intent::Shutdown) limit = Duration::zero();  // the supervisor has waited already
  switch (worker.state) {
    case WorkerState::Serving:
      worker.intent = why;
      if (!worker.published) return ask_to_stop(worker, now, decision);
      move(worker, WorkerState::Draining, now, limit);
      tell(EventKind::WorkerDraining, &worker, "takes no new requests", decision);
      return drain(worker, why, decision);
    case WorkerState::Suspending:  // the gateway drains it already
      worker.intent = why;
      return move(worker, WorkerState::Draining, now, limit);
    case WorkerState::Draining:
      if (!leaves_pool) return;
      if (!worker.ailment) worker.intent = why;
      if (limit)
        worker.deadline = std::min(worker.deadline.value_or(TimePoint::max()), now + *limit);
      return;
    case WorkerState::Starting:
    case WorkerState::Suspended:
      worker.intent = why;
      return ask_to_stop(worker, now, decision);
    case WorkerState::Orphaned:  // an administrator's, until nobody could find it any more
      if (why == Intent::Shutdown || why == Intent::Reload) kill(worker, now, decision);
      return;
    case WorkerState::Stopping:
    case WorkerState::Killing:
    case WorkerState::Exited:
      return;
  }
}

void Pool::drain(Worker& worker, Intent why, Decision& decision) const {
  decision.actions.push_back(
      DrainWorker{worker.name.id, why, settings_->worker.stop.tunnels, ++worker.drain_mark});
}

void Pool::ask_to_stop(Worker& worker, TimePoint now, Decision& decision) {
  move(worker, WorkerState::Stopping, now, settings_->worker.stop.timeout);
  if (worker.ailment) {  // what hangs does not stop by itself, but may tell where it hangs
    if (std::exchange(worker.published, false))  // who waits for it still need not wait for its end
      decision.actions.push_back(AbandonWorker{worker.name.id});
    decision.actions.push_back(SignalWorker{worker.name.id, settings_->health.stack_signal});
  } else {
    decision.actions.push_back(StopWorker{worker.name.id});
  }
}

// What hangs is looked at once, when it is found to hang.
void Pool::examine(Worker& worker, Decision& decision) {
  if (std::exchange(worker.examined, true)) return;
  decision.actions.push_back(ExamineWorker{worker.name.id});
}

void Pool::kill(Worker& worker, TimePoint now, Decision& decision) {
  if (worker.state == WorkerState::Killing || worker.state == WorkerState::Exited) return;
  move(worker, WorkerState::Killing, now, std::nullopt);
  worker.kill_sent = true;
  decision.actions.push_back(KillWorker{worker.name.id});
}

void Pool::move(Worker& worker, WorkerState to, TimePoint now, std::optional<Duration> limit) {
  assert(worker::can_become(worker.state, to));
  worker.state = to;
  worker.since = now;
  worker.deadline = limit ? std::optional(now + *limit) : std::nullopt;
}

void Pool::deadline_passed(Worker& worker, TimePoint now, Decision& decision) {
  // As it was when the wait began: a reload may have changed the settings since.
  const Duration allowed = *worker.deadline - worker.since;
  const std::string limit = format_duration(allowed);
  worker.deadline.reset();
  switch (worker.state) {
    case WorkerState::Starting:
      worker.intent = Intent::StartupTimeout;
      worker.overran = allowed;
      tell(worker.debug_tool.empty() ? EventKind::WorkerStartupTimeout
                                     : EventKind::WorkerDebugTimeout,
           &worker,
           (worker.debug_tool.empty()
                ? "was not ready within ready.timeout (" + limit + ")"
                : "was not ready under " + worker.debug_tool + " within " + limit) +
               "; it is killed",
           decision);
      examine(worker, decision);
      return kill(worker, now, decision);
    case WorkerState::Draining:
      return ask_to_stop(worker, now, decision);
    case WorkerState::Stopping:
      worker.overran = worker.overran.value_or(allowed);  // what hangs was too late before
      tell(EventKind::WorkerStopTimeout, &worker,
           "did not stop within stop.timeout (" + limit + "); its process tree is killed",
           decision);
      examine(worker, decision);
      return kill(worker, now, decision);
    case WorkerState::Serving:
    case WorkerState::Suspending:
    case WorkerState::Suspended:
    case WorkerState::Killing:
    case WorkerState::Orphaned:
    case WorkerState::Exited:
      return;
  }
}

std::uint32_t Pool::count(WorkerState state) const {
  return static_cast<std::uint32_t>(
      std::count_if(workers_.begin(), workers_.end(),
                    [&](const auto& entry) { return entry.second.state == state; }));
}

bool Pool::is_serving(WorkerId id) const {
  const auto found = workers_.find(id);
  return found != workers_.end() && found->second.state == WorkerState::Serving;
}

bool Pool::is_complete() const {
  return count(WorkerState::Serving) + count(WorkerState::Suspending) +
             count(WorkerState::Suspended) >=
         desired();
}

std::vector<WorkerId> Pool::watched() const {
  std::vector<WorkerId> ids;
  for (const auto& [id, worker] : workers_) {
    if (worker.state == WorkerState::Serving || worker.state == WorkerState::Draining)
      ids.push_back(id);
  }
  return ids;
}

bool Pool::is_published(WorkerId id) const {
  const auto found = workers_.find(id);
  return found != workers_.end() && found->second.published;
}

}  // namespace poolwarden::pool
