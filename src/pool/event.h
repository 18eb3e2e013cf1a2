// What happens to pools and workers, told once: to the journal, the metrics, the control socket.
// The catalogue below is the one place for names, levels and the numbers that WAS gives the same
// event (research/was.md 2); docs/events and the metric labels come from it.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "diagnosis/certificate.h"
#include "worker/worker_state.h"

namespace poolwarden::pool {

using worker::WorkerId;
using worker::WorkerState;

enum class Level { Info, Warning, Error };
std::string_view name(Level level);

enum class EventKind {
  SupervisorStarted,
  SupervisorStopping,
  SupervisorStopped,
  ContainmentDegraded,
  GatewayStarted,
  GatewayExited,
  LeftoversRemoved,     // of an earlier supervisor
  CertificatesNotKept,  // in the state directory
  PoolStarting,
  PoolRunning,
  PoolStopping,
  PoolStopped,
  PoolRapidFail,
  PoolStartFailure,  // a start that cannot heal: disabled at once
  PoolEnabled,       // `start` closed rapid-fail again
  WorkerStarting,
  WorkerSpawned,
  WorkerReady,
  WorkerStatus,      // STATUS= of sd_notify
  WorkerExited,      // unexpectedly
  WorkerStopped,     // as asked
  WorkerPostMortem,  // more is known of the end of one
  WorkerStartFailed,
  WorkerStartupTimeout,
  WorkerDebugged,      // its start is debugged
  WorkerDebugTimeout,  // the same as WorkerStartupTimeout, of one that is debugged
  DebuggerFailed,
  WorkerStopTimeout,
  WorkerRecycling,
  WorkerRecycled,
  RecycleFailed,  // the replacement did not come up; the old worker stays
  WorkerDraining,
  RecycleDeferred,
  WorkerUnhealthy,
  WorkerUnhealthyIgnored,  // a debugger is attached
  WorkerOverCpu,           // limits.cpu, where it is not throttled at it
  WorkerThrottled,         // at limits.cpu, for long
  WorkerUntracked,         // its cgroup does not hold it any more
  WorkerOrphaned,
  WorkerIdle,
  WorkerSuspended,
  WorkerResumed,
  IdleShortened,  // memory is short
  IdleRestored,
  PoolScaled,
  PoolAdded,
  PoolChanged,
  PoolRemoved,
  ConfigReloaded,
  ConfigReloadFailed,
  HookStarted,
  HookFailed,
};
inline constexpr int kEventKinds = static_cast<int>(EventKind::HookFailed) + 1;

struct EventType {
  EventKind kind;
  std::string_view name;  // "worker.exited"
  Level level;
  int was_number;            // 0: WAS has no such event
  std::string_view meaning;  // one sentence for docs/events.md
};

const EventType& type_of(EventKind kind);

// Why a worker was started: label of poolwarden_worker_starts_total.
enum class StartReason { Initial, Demand, ScaleUp, Replace, Recycle, Manual };
inline constexpr int kStartReasons = 6;
std::string_view name(StartReason reason);

// Why a worker is recycled: label of poolwarden_worker_recycles_total.
enum class RecycleReason {
  Time,
  Requests,
  Schedule,
  Memory,
  PrivateMemory,
  Cpu,
  Unhealthy,
  WorkerRequest,
  ConfigChange,
  FileChange,
  Manual,
  QueueLimit,  // queue.recycle_over
};
inline constexpr int kRecycleReasons = 12;
std::string_view name(RecycleReason reason);
// Whether the worker misbehaves; else it is only to be renewed.
bool is_reactive(RecycleReason reason);

// Label of poolwarden_pool_disabled.
enum class DisabledReason { RapidFail, Admin, StartFailure, Identity, Config, CpuPolicy };
inline constexpr int kDisabledReasons = 6;
std::string_view name(DisabledReason reason);

// Why a recycle that is due waits: label of poolwarden_worker_recycles_deferred_total.
enum class Deferral {
  NoHeadroom,   // the overlap does not fit into memory
  Floor,        // too few others serve
  StartFailed,  // its replacement did not come up
};
inline constexpr int kDeferrals = 3;
std::string_view name(Deferral reason);

// What an unhealthy worker failed at.
enum class Ailment { Ping, Deadlock, RequestTimeout, Memory, Reported };
std::string_view name(Ailment ailment);
diagnosis::Cause cause_of(Ailment ailment);

// Label of poolwarden_worker_start_failures_total.
enum class StartFailure {
  Spawn,
  ExecNotFound,
  ExecPermission,
  Identity,
  Chdir,
  Limits,
  Cgroup,
  Loader,
  ExitedEarly,
  StartupTimeout,
  Protocol,
  PortInUse,
};
inline constexpr int kStartFailures = 12;
std::string_view name(StartFailure reason);

// What metrics need to know beyond the kind.
struct StartingDetails {
  StartReason reason;
};
struct ReadyDetails {
  Duration startup;
};
struct ExitDetails {
  std::shared_ptr<const diagnosis::Certificate> certificate;
  std::optional<StartFailure> start_failure;  // it never became ready
  bool counts_as_failure = false;             // toward rapid-fail
};
struct PostMortemDetails {
  std::shared_ptr<const diagnosis::Certificate> certificate;  // in place of that of its end
};
struct RecycleDetails {
  RecycleReason reason;
};
struct RecycledDetails {
  Duration took;
};
struct DeferralDetails {
  Deferral reason;
};
struct AilmentDetails {
  Ailment ailment;
  bool counts_as_failure = false;  // toward rapid-fail
  bool is_first = true;            // of this worker, which no recycle has been counted for
};
struct IdleDetails {
  bool shortened;  // memory is short: it would have been left alone for longer
};
struct ShorteningDetails {
  bool aggressive;
};
struct DisabledDetails {
  DisabledReason reason;
};
struct HookDetails {
  std::string hook;
};  // "rapid_fail.action"
using Details =
    std::variant<std::monostate, StartingDetails, ReadyDetails, ExitDetails, PostMortemDetails,
                 RecycleDetails, RecycledDetails, DeferralDetails, AilmentDetails, IdleDetails,
                 ShorteningDetails, DisabledDetails, HookDetails>;

struct WorkerName {
  WorkerId id{};
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
  int pid = 0;  // 0 before it has one
};

struct Event {
  EventKind kind;
  std::string pool;  // empty: the supervisor's own
  std::optional<WorkerName> worker;
  std::string sentence;  // what happened, for people
  Details details = std::monostate{};
  bool logged = true;  // false: log_level keeps it out of the log; it is remembered and counted
};

// type_of()'s, but a warning for a recycle that nobody planned: the worker misbehaved.
Level level_of(const Event& event);

// The number that WAS gives this very event: type_of()'s, or what the details say more exactly
// (a recycle by time is 5074, by an administrator 5079). pool/was_number.h has the table.
int was_number(const Event& event);

}  // namespace poolwarden::pool
