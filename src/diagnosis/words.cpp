// The words of the closed lists: the same in metric, event, log, certificate and documentation.

#include "diagnosis/diagnosis.h"

namespace poolwarden::diagnosis {

std::string_view name(Cause cause) {
  switch (cause) {
    case Cause::ExitZero:
      return "exit_zero";
    case Cause::ExitNonzero:
      return "exit_nonzero";
    case Cause::ConfigError:
      return "config_error";
    case Cause::ExecFailed:
      return "exec_failed";
    case Cause::ExecNotExecutable:
      return "exec_not_executable";
    case Cause::LoaderFailed:
      return "loader_failed";
    case Cause::Exit255:
      return "exit_255";
    case Cause::Segfault:
      return "segfault";
    case Cause::BusError:
      return "bus_error";
    case Cause::Abort:
      return "abort";
    case Cause::IllegalInstruction:
      return "illegal_instruction";
    case Cause::Arithmetic:
      return "arithmetic";
    case Cause::StackOverflow:
      return "stack_overflow";
    case Cause::Seccomp:
      return "seccomp";
    case Cause::CpuLimit:
      return "cpu_limit";
    case Cause::FileSizeLimit:
      return "file_size_limit";
    case Cause::OomKilled:
      return "oom_killed";
    case Cause::KilledExternal:
      return "killed_external";
    case Cause::KilledBySupervisor:
      return "killed_by_supervisor";
    case Cause::StartupTimeout:
      return "startup_timeout";
    case Cause::PingTimeout:
      return "ping_timeout";
    case Cause::RequestTimeout:
      return "request_timeout";
    case Cause::Deadlock:
      return "deadlock";
    case Cause::ProtocolError:
      return "protocol_error";
    case Cause::PortInUse:
      return "port_in_use";
    case Cause::Unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view name(Intent intent) {
  switch (intent) {
    case Intent::None:
      return "none";
    case Intent::Recycle:
      return "recycle";
    case Intent::Reload:
      return "reload";
    case Intent::PoolStop:
      return "pool_stop";
    case Intent::Shutdown:
      return "shutdown";
    case Intent::ScaleDown:
      return "scale_down";
    case Intent::IdleTimeout:
      return "idle_timeout";
    case Intent::StartupTimeout:
      return "startup_timeout";
    case Intent::PingTimeout:
      return "ping_timeout";
    case Intent::RequestTimeout:
      return "request_timeout";
    case Intent::Deadlock:
      return "deadlock";
  }
  return "unknown";
}

bool is_expected(Intent intent) {
  switch (intent) {
    case Intent::Recycle:
    case Intent::Reload:
    case Intent::PoolStop:
    case Intent::Shutdown:
    case Intent::ScaleDown:
    case Intent::IdleTimeout:
      return true;
    case Intent::None:
    case Intent::StartupTimeout:
    case Intent::PingTimeout:
    case Intent::RequestTimeout:
    case Intent::Deadlock:
      return false;
  }
  return false;
}

}  // namespace poolwarden::diagnosis
