// The catalogue of events: names, levels, WAS's numbers (research/was.md 2), meanings.

#include "pool/event.h"

#include <array>
#include <cstddef>

namespace poolwarden::pool {
namespace {

using enum EventKind;
using enum Level;

constexpr std::array<EventType, kEventKinds> kCatalogue = {{
    {SupervisorStarted, "supervisor.started", Info, 5211, "The supervisor has started."},
    {SupervisorStopping, "supervisor.stopping", Info, 0,
     "The supervisor was asked to end and stops all pools."},
    {SupervisorStopped, "supervisor.stopped", Info, 0,
     "All pools have stopped and the supervisor ends."},
    {ContainmentDegraded, "containment.degraded", Warning, 5060,
     "Limits or containment that were asked for cannot be had here; the sentence says what would "
     "grant them."},
    {GatewayStarted, "gateway.started", Info, 0, "A gateway process takes requests."},
    {GatewayExited, "gateway.exited", Error, 5175,
     "A gateway process ended unexpectedly; another one is started on the same listening sockets."},
    {LeftoversRemoved, "supervisor.leftovers_removed", Warning, 0,
     "Processes or cgroups of an earlier supervisor were found and removed."},
    {CertificatesNotKept, "supervisor.certificates_not_kept", Warning, 0,
     "Death certificates cannot be written to the state directory, or some there cannot be read; "
     "new ones are kept in memory."},
    {PoolStarting, "pool.starting", Info, 0, "A pool starts its workers."},
    {PoolRunning, "pool.running", Info, 0, "A pool is in service."},
    {PoolStopping, "pool.stopping", Info, 0, "A pool stops its workers."},
    {PoolStopped, "pool.stopped", Info, 0, "All workers of a pool have stopped."},
    {PoolRapidFail, "pool.rapid_fail", Error, 5002,
     "Rapid-fail protection took a pool out of service: too many workers failed within the "
     "window. `poolwarden events` shows what they died of, `poolwarden start` closes it again."},
    {PoolStartFailure, "pool.start_failure", Error, 5059,
     "A pool was taken out of service at once: its workers cannot start, and trying again cannot "
     "help."},
    {PoolEnabled, "pool.enabled", Info, 0,
     "A pool that rapid-fail or a start failure had taken out of service was put back."},
    {WorkerStarting, "worker.starting", Info, 0, "A worker is about to be started."},
    {WorkerSpawned, "worker.spawned", Info, 0, "The process of a worker exists."},
    {EventKind::WorkerReady, "worker.ready", Info, 0, "A worker is ready and takes requests."},
    {WorkerStatus, "worker.status", Info, 0, "A worker said something of itself (STATUS=)."},
    {WorkerExited, "worker.exited", Warning, 5009, "A worker ended without being asked to."},
    {WorkerStopped, "worker.stopped", Info, 0, "A worker ended as it was asked to."},
    {WorkerPostMortem, "worker.post_mortem", Info, 0,
     "More became known of a worker that has ended: its core file, where it stood, requests that "
     "its end cut short. Its certificate has it now."},
    {WorkerStartFailed, "worker.start_failed", Warning, 5022,
     "A worker could not be started, or ended before it was ready."},
    {WorkerStartupTimeout, "worker.startup_timeout", Warning, 5012,
     "A worker was not ready in time (ready.timeout) and is killed."},
    {WorkerDebugged, "worker.debugged", Info, 0,
     "A worker starts under a debugger, a tracer or loader tracing, as `debug` ordered; its "
     "failure does not count toward rapid-fail protection."},
    {WorkerDebugTimeout, "worker.debug_timeout", Warning, 5209,
     "A worker that starts under a debugger or tracer was not ready in the time that it was given "
     "for that, and is killed."},
    {DebuggerFailed, "pool.debugger_failed", Warning, 5208,
     "A debugger or tracer cannot be used for a pool's workers: it is not installed, or may not "
     "trace; the sentence says what is missing."},
    {WorkerStopTimeout, "worker.stop_timeout", Warning, 5013,
     "A worker did not stop in time (stop.timeout) and its whole tree is killed."},
    {WorkerRecycling, "worker.recycling", Info, 5074,
     "A worker is being replaced; without another reason, for its age."},
    {WorkerRecycled, "worker.recycled", Info, 0,
     "A worker was replaced: the new one serves, the old one is gone."},
    {RecycleFailed, "worker.recycle_failed", Error, 5093,
     "The replacement of a worker did not come up; the old worker stays in service."},
    {WorkerDraining, "worker.draining", Info, 0,
     "A worker takes no new requests and finishes those it has."},
    {RecycleDeferred, "worker.recycle_deferred", Info, 0,
     "A recycle that is due waits: for memory, or for others to serve."},
    {WorkerUnhealthy, "worker.unhealthy", Warning, 5010,
     "A worker is not well: it answers no pings, or none of the requests that wait, or one took "
     "longer than health.request_timeout. It is replaced."},
    {WorkerUnhealthyIgnored, "worker.unhealthy_ignored", Info, 5082,
     "A worker is not well, but a debugger is attached to it: it is left alone."},
    {WorkerOverCpu, "worker.over_cpu", Warning, 5025,
     "A worker has used more CPU time within limits.cpu_window than limits.cpu allows; with "
     "limits.cpu_action: kill it is replaced. Told once a window."},
    {WorkerThrottled, "worker.throttled", Warning, 5210,
     "A worker was held back at limits.cpu for a fourth of limits.cpu_window or more. Told once a "
     "window."},
    {WorkerUntracked, "worker.untracked", Warning, 5167,
     "A worker runs, but not in its cgroup any more: something else moved it out, or removed that. "
     "Its limits do not hold, and what it uses is read from /proc, if at all."},
    {WorkerOrphaned, "worker.orphaned", Warning, 0,
     "An unhealthy worker was taken out of service and is kept for inspection (orphan.keep)."},
    {WorkerIdle, "worker.idle", Info, 5186,
     "A worker had no request for idle.after and is stopped; another one starts when needed."},
    {EventKind::WorkerSuspended, "worker.suspended", Info, 2310,
     "A worker had no request for idle.after and was frozen; the next request wakes it."},
    {WorkerResumed, "worker.resumed", Info, 0, "A suspended worker was woken for a request."},
    {IdleShortened, "pool.idle_shortened", Info, 5192,
     "Memory is short: idle workers leave sooner than idle.after."},
    {IdleRestored, "pool.idle_restored", Info, 5194,
     "Memory is no longer short: idle.after holds again."},
    {PoolScaled, "pool.scaled", Info, 0, "A pool has more or fewer workers than before."},
    {EventKind::PoolAdded, "pool.added", Info, 0, "A reload added a pool."},
    {PoolChanged, "pool.changed", Info, 0, "A reload changed a pool."},
    {EventKind::PoolRemoved, "pool.removed", Info, 0, "A reload removed a pool."},
    {ConfigReloaded, "config.reloaded", Info, 0, "A new configuration is in effect."},
    {ConfigReloadFailed, "config.reload_failed", Error, 5173,
     "A new configuration could not be read or taken over; the running one stays as it was."},
    {HookStarted, "hook.started", Info, 0, "A configured action (rapid_fail.action, …) runs."},
    {HookFailed, "hook.failed", Error, 5054, "A configured action could not be run or failed."},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<std::size_t>(kCatalogue[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_in_order(), "each EventKind has its row, in the order of the enumeration");

}  // namespace

const EventType& type_of(EventKind kind) { return kCatalogue[static_cast<std::size_t>(kind)]; }

Level level_of(const Event& event) {
  const auto* recycle = std::get_if<RecycleDetails>(&event.details);
  if (recycle && is_reactive(recycle->reason)) return Level::Warning;
  const auto* shortening = std::get_if<ShorteningDetails>(&event.details);
  if (shortening && shortening->aggressive) return Level::Warning;
  return type_of(event.kind).level;
}

}  // namespace poolwarden::pool
