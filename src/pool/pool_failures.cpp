// The end of a worker and what it leads to: a certificate, a replacement, rapid-fail protection.

#include <algorithm>
#include <cerrno>

#include "base/units.h"
#include "pool/backoff.h"
#include "pool/pool.h"

namespace poolwarden::pool {
namespace {

using diagnosis::Cause;
using diagnosis::NotStarted;
using diagnosis::SpawnStage;

StartFailure failure_of_stage(const NotStarted& end) {
  switch (end.stage) {
    case SpawnStage::Cgroup:
      return StartFailure::Cgroup;
    case SpawnStage::Limits:
      return StartFailure::Limits;
    case SpawnStage::Identity:
      return StartFailure::Identity;
    case SpawnStage::Directory:
      return StartFailure::Chdir;
    case SpawnStage::Exec:
      if (end.error == ENOENT) return StartFailure::ExecNotFound;
      if (end.error == EACCES || end.error == EPERM) return StartFailure::ExecPermission;
      return StartFailure::Spawn;
    case SpawnStage::Clone:
    case SpawnStage::Session:
    case SpawnStage::Stdio:
      return StartFailure::Spawn;
  }
  return StartFailure::Spawn;
}

StartFailure start_failure_of(const diagnosis::Certificate& certificate) {
  if (const auto* end = std::get_if<NotStarted>(&certificate.evidence.status))
    return failure_of_stage(*end);
  const Cause cause = certificate.diagnosis.cause;
  if (cause == Cause::StartupTimeout) return StartFailure::StartupTimeout;
  if (cause == Cause::LoaderFailed) return StartFailure::Loader;
  if (cause == Cause::PortInUse) return StartFailure::PortInUse;
  return StartFailure::ExitedEarly;
}

bool blames_identity(const diagnosis::Evidence& evidence) {
  const auto* end = std::get_if<NotStarted>(&evidence.status);
  return end && end->stage == SpawnStage::Identity;
}

std::map<std::string, std::string> hook_environment(const PoolSettings& settings,
                                                    const WorkerName& worker,
                                                    const diagnosis::Diagnosis& why) {
  const RapidFailSettings& rapid_fail = settings.rapid_fail;
  return {
      {"POOLWARDEN_EVENT", std::string(type_of(EventKind::PoolRapidFail).name)},
      {"POOLWARDEN_POOL", settings.name},
      {"POOLWARDEN_WORKER", std::to_string(worker.slot)},
      {"POOLWARDEN_GENERATION", std::to_string(worker.generation)},
      {"POOLWARDEN_PID", std::to_string(worker.pid)},
      {"POOLWARDEN_DIAGNOSIS", std::string(name(why.cause))},
      {"POOLWARDEN_SENTENCE", why.sentence},
      {"POOLWARDEN_FAILURES", std::to_string(rapid_fail.failures.value_or(0))},
      {"POOLWARDEN_WITHIN", format_duration(rapid_fail.within)},
  };
}

void add_status(std::map<std::string, std::string>& environment,
                const diagnosis::ExitStatus& status) {
  if (const auto* end = std::get_if<diagnosis::Exited>(&status))
    environment["POOLWARDEN_EXIT_CODE"] = std::to_string(end->code);
  if (const auto* end = std::get_if<diagnosis::Signaled>(&status))
    environment["POOLWARDEN_SIGNAL"] = diagnosis::signal_name(end->signal);
}

}  // namespace

Decision Pool::worker_exited(WorkerId id, const diagnosis::Evidence& evidence, TimePoint now,
                             WallTime wall) {
  Decision decision;
  const auto found = workers_.find(id);
  if (found == workers_.end()) return decision;
  const Worker worker = std::move(found->second);
  workers_.erase(found);
  if (worker.published) decision.actions.push_back(RetireWorker{id});

  const diagnosis::Diagnosis why =
      diagnose(evidence, {worker.intent, worker.ready_at.has_value(), worker.kill_sent});
  auto certificate = std::make_shared<diagnosis::Certificate>(diagnosis::Certificate{
      settings_->name, worker.name.slot, worker.name.generation, worker.name.pid, wall,
      now - worker.spawned, worker.ready_at.has_value(), worker.intent, evidence, why});
  ExitDetails details{certificate, std::nullopt, false};
  EventKind kind = EventKind::WorkerStopped;
  if (worker.kept_aside) {
    tell(kind, &worker,  // it failed when it was found, and was told of then
         "which was kept for inspection, has ended: " + describe(evidence.status), decision,
         details);
    settle(now, decision);
    return decision;
  }
  if (!why.expected) {
    // A worker that crashes on its way out, after the stop signal, fails nobody.
    const bool was_asked =
        diagnosis::is_expected(worker.intent) && !worker.cut_a_request_short &&
        (worker.state == WorkerState::Stopping || worker.state == WorkerState::Killing);
    details.counts_as_failure =
        is_wanted() && !was_asked && !is_spare(worker) && !worker.failure_counted;
    kind = worker.ready_at ? EventKind::WorkerExited : EventKind::WorkerStartFailed;
    if (!worker.ready_at) details.start_failure = start_failure_of(*certificate);
    last_certificate_ = certificate;
    last_failure_ = now;
  }
  tell(kind, &worker, why.sentence, decision, details);

  recycling_worker_ended(worker, why, now, decision);
  if (details.counts_as_failure) failed(worker, why, now, decision);
  if (is_wanted()) {
    fill(StartReason::Replace, now, decision);
    advance_recycling(now, decision);
  }
  settle(now, decision);
  return decision;
}

// Whether the worker that this one was to replace serves on, so that nothing is lost with it.
bool Pool::is_spare(const Worker& worker) const {
  if (!worker.replaces) return false;
  const auto old = workers_.find(*worker.replaces);
  return old != workers_.end() && old->second.state == WorkerState::Serving;
}

bool Pool::is_alone() const {
  return !any(WorkerState::Serving) && !any(WorkerState::Draining) &&
         !any(WorkerState::Suspending) && !any(WorkerState::Suspended);
}

void Pool::failed(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
                  Decision& decision) {
  const bool alone = is_alone();
  if (alone && desired() > 0) crashed_ = true;  // a pool that waits for demand restarts nothing
  if (why.incurable && alone) {
    const bool identity = blames_identity(last_certificate_->evidence);
    tell(EventKind::PoolStartFailure, nullptr,
         "was disabled at once, because trying again cannot help: its worker " + why.sentence +
             (why.next_step.empty() ? "" : ". " + why.next_step),
         decision);
    return disable(identity ? DisabledReason::Identity : DisabledReason::StartFailure,
                   "its worker " + why.sentence, now, decision);
  }
  if (rapid_fail_.record_failure(now)) return trip(worker, why, now, decision);
  if (!is_open(worker.name.slot)) return;  // a replacement is under way already

  Slot& slot = slots_[worker.name.slot];
  const bool was_healthy = worker.ready_at && now - *worker.ready_at >= kHealthyAfter;
  slot.failures_in_a_row = was_healthy ? 1 : slot.failures_in_a_row + 1;
  const Duration delay = restart_delay(slot.failures_in_a_row);
  if (delay > Duration::zero()) slot.respawn_at = now + delay;
}

void Pool::trip(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
                Decision& decision) {
  const RapidFailSettings& settings = settings_->rapid_fail;
  last_trip_ = now;
  const std::string count = std::to_string(*settings.failures) +
                            (*settings.failures == 1 ? " failure" : " failures") + " within " +
                            format_duration(settings.within) + "; the last worker " + why.sentence;
  tell(EventKind::PoolRapidFail, nullptr,
       "was disabled by rapid-fail protection: " + count +
           ". Repair the cause, then run: poolwarden start " + settings_->name,
       decision);
  RunHook hook{"rapid_fail.action", settings.action,
               hook_environment(*settings_, worker.name, why)};
  const bool has_ended = !worker.ailment;
  if (has_ended && last_certificate_)
    add_status(hook.environment, last_certificate_->evidence.status);
  disable(DisabledReason::RapidFail, count, now, decision);
  if (!settings.action.empty()) decision.actions.push_back(std::move(hook));
}

void Pool::disable(DisabledReason reason, const std::string& because, TimePoint now,
                   Decision& decision) {
  disabled_ = reason;
  disabled_because_ = because;
  stop_all(diagnosis::Intent::PoolStop, now, decision);
}

}  // namespace poolwarden::pool
