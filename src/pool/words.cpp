// The words for levels and reasons: labels of metrics, fields of events.

#include "pool/event.h"
#include "pool/snapshot.h"

namespace poolwarden::pool {

std::string_view name(Level level) {
  switch (level) {
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "unknown";
}

std::string_view name(StartReason reason) {
  switch (reason) {
    case StartReason::Initial:
      return "initial";
    case StartReason::Demand:
      return "demand";
    case StartReason::ScaleUp:
      return "scale_up";
    case StartReason::Replace:
      return "replace";
    case StartReason::Recycle:
      return "recycle";
    case StartReason::Manual:
      return "manual";
  }
  return "unknown";
}

std::string_view name(RecycleReason reason) {
  switch (reason) {
    case RecycleReason::Time:
      return "time";
    case RecycleReason::Requests:
      return "requests";
    case RecycleReason::Schedule:
      return "schedule";
    case RecycleReason::Memory:
      return "memory";
    case RecycleReason::PrivateMemory:
      return "private_memory";
    case RecycleReason::Cpu:
      return "cpu";
    case RecycleReason::Unhealthy:
      return "unhealthy";
    case RecycleReason::WorkerRequest:
      return "worker_request";
    case RecycleReason::ConfigChange:
      return "config_change";
    case RecycleReason::FileChange:
      return "file_change";
    case RecycleReason::Manual:
      return "manual";
    case RecycleReason::QueueLimit:
      return "queue_limit";
  }
  return "unknown";
}

bool is_reactive(RecycleReason reason) {
  switch (reason) {
    case RecycleReason::Memory:
    case RecycleReason::PrivateMemory:
    case RecycleReason::Cpu:
    case RecycleReason::Unhealthy:
    case RecycleReason::WorkerRequest:
    case RecycleReason::QueueLimit:
      return true;
    case RecycleReason::Time:
    case RecycleReason::Requests:
    case RecycleReason::Schedule:
    case RecycleReason::ConfigChange:
    case RecycleReason::FileChange:
    case RecycleReason::Manual:
      return false;
  }
  return false;
}

std::string_view name(Deferral reason) {
  switch (reason) {
    case Deferral::NoHeadroom:
      return "no_headroom";
    case Deferral::Floor:
      return "floor";
    case Deferral::StartFailed:
      return "start_failed";
  }
  return "unknown";
}

std::string_view name(Ailment ailment) {
  switch (ailment) {
    case Ailment::Ping:
      return "ping";
    case Ailment::Deadlock:
      return "deadlock";
    case Ailment::RequestTimeout:
      return "request_timeout";
    case Ailment::Memory:
      return "memory";
    case Ailment::Reported:
      return "reported";
  }
  return "unknown";
}

diagnosis::Cause cause_of(Ailment ailment) {
  switch (ailment) {
    case Ailment::Ping:
      return diagnosis::Cause::PingTimeout;
    case Ailment::Deadlock:
      return diagnosis::Cause::Deadlock;
    case Ailment::RequestTimeout:
      return diagnosis::Cause::RequestTimeout;
    case Ailment::Memory:
    case Ailment::Reported:
      break;  // no failure: recycled
  }
  return diagnosis::Cause::Unknown;
}

std::string_view name(DisabledReason reason) {
  switch (reason) {
    case DisabledReason::RapidFail:
      return "rapid_fail";
    case DisabledReason::Admin:
      return "admin";
    case DisabledReason::StartFailure:
      return "start_failure";
    case DisabledReason::Identity:
      return "identity";
    case DisabledReason::Config:
      return "config";
    case DisabledReason::CpuPolicy:
      return "cpu_policy";
  }
  return "unknown";
}

std::string_view name(StartFailure reason) {
  switch (reason) {
    case StartFailure::Spawn:
      return "spawn";
    case StartFailure::ExecNotFound:
      return "exec_not_found";
    case StartFailure::ExecPermission:
      return "exec_permission";
    case StartFailure::Identity:
      return "identity";
    case StartFailure::Chdir:
      return "chdir";
    case StartFailure::Limits:
      return "limits";
    case StartFailure::Cgroup:
      return "cgroup";
    case StartFailure::Loader:
      return "loader";
    case StartFailure::ExitedEarly:
      return "exited_early";
    case StartFailure::StartupTimeout:
      return "startup_timeout";
    case StartFailure::Protocol:
      return "protocol";
    case StartFailure::PortInUse:
      return "port_in_use";
  }
  return "unknown";
}

std::string_view name(PoolState state) {
  switch (state) {
    case PoolState::Stopped:
      return "stopped";
    case PoolState::Starting:
      return "starting";
    case PoolState::Running:
      return "running";
    case PoolState::Stopping:
      return "stopping";
  }
  return "unknown";
}

}  // namespace poolwarden::pool
