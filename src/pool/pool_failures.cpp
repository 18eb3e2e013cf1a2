// The end of a worker and what it leads to: a certificate, a replacement, rapid-fail protection.

#include <algorithm>
#include <cerrno>

#include "base/clean_text.h"
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
  if (cause == Cause::ProtocolError) return StartFailure::Protocol;
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
      {"POOLWARDEN_SENTENCE", escaped(why.sentence)},
      {"POOLWARDEN_FAILURES", std::to_string(rapid_fail.failures.value_or(0))},
      {"POOLWARDEN_WITHIN", format_duration(rapid_fail.within)},
  };
}

// A pool without routes has nothing to connect to.
diagnosis::Awaited awaited_by(const worker::Ready& ready, bool uses_http) {
  using diagnosis::Awaited;
  if (std::holds_alternative<worker::WhenNotify>(ready.when)) return Awaited::Notify;
  if (std::holds_alternative<worker::WhenStarted>(ready.when) || !uses_http)
    return Awaited::Nothing;
  const bool asks = std::holds_alternative<worker::WhenHttp>(ready.when);
  return asks ? Awaited::Http : Awaited::Connection;
}

void add_status(std::map<std::string, std::string>& environment,
                const diagnosis::ExitStatus& status) {
  if (const auto* end = std::get_if<diagnosis::Exited>(&status))
    environment["POOLWARDEN_EXIT_CODE"] = std::to_string(end->code);
  if (const auto* end = std::get_if<diagnosis::Signaled>(&status))
    environment["POOLWARDEN_SIGNAL"] = diagnosis::signal_name(end->signal);
}

}  // namespace

void Pool::drilled(WorkerId id, const std::string& what) {
  if (Worker* worker = find(id)) worker->drill = what;
}

diagnosis::Circumstances Pool::circumstances_of(const Worker& worker) const {
  diagnosis::Circumstances known;
  known.intent = worker.intent;
  known.was_ready = worker.ready_at.has_value();
  known.kill_sent = worker.kill_sent;
  known.own_signals = {settings_->worker.stop.signal, settings_->health.stack_signal};
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end())
    known.recycle_reason = name(found->second.reason);
  known.debug_tool = worker.debug_tool;
  known.drill = worker.drill;
  known.awaited = awaited_by(settings_->worker.ready, uses_http());
  known.inherits_socket = uses_http() && settings_->worker.connect == worker::ConnectMode::Inherit;
  known.limit = worker.overran;
  known.pool = settings_->name;
  return known;
}

std::shared_ptr<const diagnosis::Certificate> Pool::certify(const Worker& worker,
                                                            const diagnosis::Evidence& evidence,
                                                            TimePoint now, WallTime wall) const {
  auto made = std::make_shared<diagnosis::Certificate>();
  made->pool = settings_->name;
  made->slot = worker.name.slot;
  made->generation = worker.name.generation;
  made->pid = worker.name.pid;
  made->ended = wall;
  made->uptime = now - worker.spawned;
  made->was_ready = worker.ready_at.has_value();
  made->intent = worker.intent;
  const diagnosis::Circumstances circumstances = circumstances_of(worker);
  made->recycle_reason = circumstances.recycle_reason;
  made->debug_tool = worker.debug_tool;
  made->evidence = evidence;
  made->evidence.cut_requests = worker.cut_requests;
  made->diagnosis = diagnose(made->evidence, circumstances);
  return made;
}

Decision Pool::worker_exited(WorkerId id, const diagnosis::Evidence& evidence, TimePoint now,
                             WallTime wall) {
  Decision decision;
  const auto found = workers_.find(id);
  if (found == workers_.end()) return decision;
  const Worker worker = std::move(found->second);
  workers_.erase(found);
  if (worker.published) decision.actions.push_back(RetireWorker{id});

  const auto certificate = certify(worker, evidence, now, wall);
  const diagnosis::Diagnosis& why = certificate->diagnosis;
  remember(worker, certificate);
  debugging_.worker_ended(id);
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
    details.counts_as_failure = is_wanted() && !was_asked && !is_spare(worker) &&
                                !worker.failure_counted && worker.debug_tool.empty();
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
    const DisabledReason reason = blames_identity(last_certificate_->evidence)
                                      ? DisabledReason::Identity
                                      : DisabledReason::StartFailure;
    tell(EventKind::PoolStartFailure, nullptr,
         "was disabled at once, because trying again cannot help: its worker " + why.sentence +
             (why.next_step.empty() ? "" : ". " + why.next_step),
         decision, DisabledDetails{reason});
    return disable(reason, "its worker " + why.sentence, now, decision);
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
