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

std::string_view name(Detail detail) {
  switch (detail) {
    case Detail::None:
      return "none";
    case Detail::MissingProgram:
      return "missing_program";
    case Detail::PathBlocked:
      return "path_blocked";
    case Detail::NotExecutable:
      return "not_executable";
    case Detail::MissingInterpreter:
      return "missing_interpreter";
    case Detail::WrongArchitecture:
      return "wrong_architecture";
    case Detail::MissingLibrary:
      return "missing_library";
    case Detail::MissingSymbol:
      return "missing_symbol";
    case Detail::MissingModule:
      return "missing_module";
    case Detail::UnknownUser:
      return "unknown_user";
    case Detail::IdentityRefused:
      return "identity_refused";
    case Detail::MissingDirectory:
      return "missing_directory";
    case Detail::CgroupGone:
      return "cgroup_gone";
    case Detail::Daemonized:
      return "daemonized";
    case Detail::PidsLimit:
      return "pids_limit";
    case Detail::OwnMemoryLimit:
      return "own_memory_limit";
    case Detail::ContainerMemoryLimit:
      return "container_memory_limit";
    case Detail::OutOfMemoryInside:
      return "out_of_memory_inside";
    case Detail::UncaughtException:
      return "uncaught_exception";
    case Detail::Assertion:
      return "assertion";
    case Detail::DamagedHeap:
      return "damaged_heap";
    case Detail::SmashedStack:
      return "smashed_stack";
    case Detail::BrokenOutput:
      return "broken_output";
    case Detail::NeverNotified:
      return "never_notified";
    case Detail::SocketSilent:
      return "socket_silent";
    case Detail::NotReadyAnswer:
      return "not_ready_answer";
    case Detail::SocketNotTaken:
      return "socket_not_taken";
    case Detail::Drilled:
      return "drilled";
  }
  return "unknown";
}

std::string_view name(Sender sender) {
  switch (sender) {
    case Sender::Itself:
      return "itself";
    case Sender::OurStop:
      return "our_stop";
    case Sender::OurKill:
      return "our_kill";
    case Sender::OurMemoryRule:
      return "our_memory_rule";
    case Sender::OurCpuRule:
      return "our_cpu_rule";
    case Sender::OurDrill:
      return "our_drill";
    case Sender::KernelOom:
      return "kernel_oom";
    case Sender::KernelFault:
      return "kernel_fault";
    case Sender::KernelSeccomp:
      return "kernel_seccomp";
    case Sender::KernelRlimit:
      return "kernel_rlimit";
    case Sender::Stranger:
      return "stranger";
    case Sender::Unknown:
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
