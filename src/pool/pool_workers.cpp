// One worker of a pool, from state to state: spawned, ready, drained, asked to stop, killed.

#include <algorithm>
#include <cassert>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

namespace {
constexpr std::size_t kMostLeaving = 3;  // beside the one that has the slot
}

void Pool::fill(StartReason reason, TimePoint now, Decision& decision) {
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    if (!slots_[number].respawn_at && is_open(number))
      spawn(number, reason, std::nullopt, now, decision);
  }
}

// Whether the slot lacks a worker and nothing that is under way will give it one. A worker that is
// being killed for a failure keeps its slot until that failure has been counted; one that is
// recycled without overlap keeps it until it is gone; and whoever starts and stops a pool in quick
// succession does not pile up workers that still leave.
bool Pool::is_open(std::uint32_t slot) const {
  std::size_t leaving = 0;
  for (const auto& [id, worker] : workers_) {
    if (worker.name.slot != slot) continue;
    if (worker.state == WorkerState::Starting || worker.state == WorkerState::Serving) return false;
    if (!diagnosis::is_expected(worker.intent)) return false;
    if (worker.intent == Intent::Recycle && !settings_->recycle.overlapped) return false;
    ++leaving;
  }
  return leaving < kMostLeaving;
}

void Pool::spawn(std::uint32_t slot, StartReason reason, std::optional<WorkerId> replaces,
                 TimePoint now, Decision& decision) {
  const WorkerId id{next_id_};
  next_id_ += id_step_;
  Worker worker;
  worker.name = {id, slot, ++slots_[slot].generations, 0};
  worker.spawned = worker.since = now;
  worker.replaces = replaces ? replaces : awaiting_successor(slot);
  if (settings_->worker.ready.timeout) worker.deadline = now + *settings_->worker.ready.timeout;
  const Worker& kept = workers_.emplace(id, std::move(worker)).first->second;
  tell(EventKind::WorkerStarting, &kept, "is being started", decision,
       StartingDetails{kept.replaces ? StartReason::Recycle : reason});
  decision.actions.push_back(SpawnWorker{kept.name});
}

Decision Pool::worker_spawned(WorkerId id, int pid) {
  Decision decision;
  const auto found = workers_.find(id);
  if (found == workers_.end()) return decision;
  found->second.name.pid = pid;
  tell(EventKind::WorkerSpawned, &found->second, "runs as process " + std::to_string(pid),
       decision);
  return decision;
}

Decision Pool::worker_ready(WorkerId id, TimePoint now) {
  Decision decision;
  const auto found = workers_.find(id);
  // It may have been told to stop, or have ended, while its readiness was on the way.
  if (found == workers_.end() || found->second.state != WorkerState::Starting) return decision;
  Worker& worker = found->second;
  const Duration startup = now - worker.spawned;
  worker.ready_at = now;
  move(worker, WorkerState::Serving, now, std::nullopt);
  crashed_ = false;
  tell(EventKind::WorkerReady, &worker, "is ready after " + describe_duration(startup), decision,
       ReadyDetails{startup});
  if (uses_http()) {
    worker.published = true;
    decision.actions.push_back(PublishWorker{id});
  }
  if (worker.replaces) replacement_ready(worker, now, decision);
  settle(now, decision);
  return decision;
}

Decision Pool::worker_status(WorkerId id, const std::string& text) {
  Decision decision;
  const auto found = workers_.find(id);
  if (found == workers_.end() || found->second.status_text == text) return decision;
  found->second.status_text = text;
  tell(EventKind::WorkerStatus, &found->second, "says: " + text, decision);
  return decision;
}

Decision Pool::worker_drained(WorkerId id, TimePoint now) {
  Decision decision;
  const auto found = workers_.find(id);
  if (found == workers_.end() || found->second.state != WorkerState::Draining) return decision;
  ask_to_stop(found->second, now, decision);
  settle(now, decision);
  return decision;
}

// Takes a worker out of service: drained first if it serves requests.
void Pool::leave(Worker& worker, Intent why, TimePoint now, Decision& decision) {
  const bool leaves_pool = why == Intent::PoolStop || why == Intent::Shutdown;
  std::optional<Duration> drain;  // a recycle waits for requests in flight as long as it takes
  if (why == Intent::PoolStop) drain = settings_->worker.stop.drain;
  if (why == Intent::Shutdown) drain = Duration::zero();  // the supervisor has waited already
  switch (worker.state) {
    case WorkerState::Serving:
      worker.intent = why;
      if (!worker.published) return ask_to_stop(worker, now, decision);
      move(worker, WorkerState::Draining, now, drain);
      tell(EventKind::WorkerDraining, &worker, "takes no new requests", decision);
      decision.actions.push_back(DrainWorker{worker.name.id, why});
      return;
    case WorkerState::Draining:
      if (leaves_pool) {
        worker.intent = why;
        if (drain)
          worker.deadline = std::min(worker.deadline.value_or(TimePoint::max()), now + *drain);
      }
      return;
    case WorkerState::Starting:
      worker.intent = why;
      return ask_to_stop(worker, now, decision);
    case WorkerState::Stopping:
    case WorkerState::Killing:
    case WorkerState::Exited:
      return;
  }
}

void Pool::ask_to_stop(Worker& worker, TimePoint now, Decision& decision) {
  move(worker, WorkerState::Stopping, now, settings_->worker.stop.timeout);
  decision.actions.push_back(StopWorker{worker.name.id});
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
  worker.deadline.reset();
  switch (worker.state) {
    case WorkerState::Starting:
      worker.intent = Intent::StartupTimeout;
      tell(EventKind::WorkerStartupTimeout, &worker,
           "was not ready within ready.timeout (" +
               format_duration(*settings_->worker.ready.timeout) + "); it is killed",
           decision);
      return kill(worker, now, decision);
    case WorkerState::Draining:
      return ask_to_stop(worker, now, decision);
    case WorkerState::Stopping:
      tell(EventKind::WorkerStopTimeout, &worker,
           "did not stop within stop.timeout (" + format_duration(*settings_->worker.stop.timeout) +
               "); its process tree is killed",
           decision);
      return kill(worker, now, decision);
    case WorkerState::Serving:
    case WorkerState::Killing:
    case WorkerState::Exited:
      return;
  }
}

bool Pool::any(WorkerState state) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const auto& entry) { return entry.second.state == state; });
}

bool Pool::is_serving(WorkerId id) const {
  const auto found = workers_.find(id);
  return found != workers_.end() && found->second.state == WorkerState::Serving;
}

bool Pool::is_complete() const {
  const auto serving = std::count_if(workers_.begin(), workers_.end(), [](const auto& entry) {
    return entry.second.state == WorkerState::Serving;
  });
  return !demanded_ || serving >= desired_;
}

bool Pool::is_published(WorkerId id) const {
  const auto found = workers_.find(id);
  return found != workers_.end() && found->second.published;
}

}  // namespace poolwarden::pool
