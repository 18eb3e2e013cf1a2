// Why a worker ended, told from the evidence left behind. One pure function: what metrics, alerts,
// events and rapid-fail know of an exit, they know from here.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "diagnosis/evidence.h"

namespace poolwarden::diagnosis {

// The closed list of research/metrics.md 5.3; name() gives the words used in metric, event, log,
// certificate and documentation.
enum class Cause {
  ExitZero,  // code 0 without a stop request
  ExitNonzero,
  ConfigError,        // 78, EX_CONFIG of sysexits.h
  ExecFailed,         // an errno before or at exec
  ExecNotExecutable,  // 126, by way of a shell or wrapper
  LoaderFailed,       // 127 and ld.so's text
  Exit255,
  Segfault,
  BusError,
  Abort,
  IllegalInstruction,
  Arithmetic,
  StackOverflow,
  Seccomp,         // SIGSYS
  CpuLimit,        // SIGXCPU
  FileSizeLimit,   // SIGXFSZ
  OomKilled,       // SIGKILL and an oom_kill count of its own cgroup that rose shortly before
  KilledExternal,  // a signal that we did not send
  KilledBySupervisor,
  StartupTimeout,
  PingTimeout,
  RequestTimeout,
  Deadlock,
  ProtocolError,
  PortInUse,
  Unknown,
};
inline constexpr int kCauses = static_cast<int>(Cause::Unknown) + 1;

std::string_view name(Cause cause);

// What the supervisor had asked of the worker before it ended.
enum class Intent {
  None,
  Recycle,
  Reload,    // the configuration changed, or has its pool no more
  PoolStop,  // `stop`, rapid-fail of its pool
  Shutdown,  // of the supervisor
  ScaleDown,
  IdleTimeout,
  StartupTimeout,  // it was not ready in time
  PingTimeout,
  RequestTimeout,
  Deadlock,
};

std::string_view name(Intent intent);

// Whether this intent explains an end, so that it is no failure. Time-outs do not.
bool is_expected(Intent intent);

// What a worker was to do to become ready.
enum class Awaited { Nothing, Notify, Connection, Http };

// The part of the story that the supervisor knows and the kernel does not.
struct Circumstances {
  Intent intent = Intent::None;
  bool was_ready = false;
  bool kill_sent = false;             // we killed the tree, after the stop signal or at once
  std::vector<int> own_signals = {};  // that it may have had from us before that: stop.signal
  std::string recycle_reason = {};    // of Intent::Recycle: "memory"
  std::string debug_tool = {};        // it ran under: "gdb"; empty: none
  std::string drill = {};             // that was done to it: "segfault"; empty: none
  Awaited awaited = Awaited::Nothing;
  bool inherits_socket = false;  // connect: inherit
  // That it went beyond, as it was when the wait began: ready.timeout and the like, as the intent
  // has it. Absent: it was ended before.
  std::optional<Duration> limit = {};
  std::string pool = {};  // for a next step that is a command
};

// What a cause leaves open: a closed list too, but no label of a metric.
enum class Detail {
  None,
  MissingProgram,
  PathBlocked,  // a directory on the way may not be passed
  NotExecutable,
  MissingInterpreter,  // of a script, or the loader of a program
  WrongArchitecture,   // of the program, or of a library
  MissingLibrary,
  MissingSymbol,
  MissingModule,  // of a language: an import, a class
  UnknownUser,
  IdentityRefused,
  MissingDirectory,
  CgroupGone,
  Daemonized,
  PidsLimit,
  OwnMemoryLimit,
  ContainerMemoryLimit,
  OutOfMemoryInside,  // an allocation failed, and it ended itself
  UncaughtException,
  Assertion,
  DamagedHeap,
  SmashedStack,
  BrokenOutput,    // its reader was gone
  NeverNotified,   // ready: notify, and no READY=1
  SocketSilent,    // where it was to listen nothing answered
  NotReadyAnswer,  // it answered, and never that it is ready
  SocketNotTaken,  // the socket that it was given was never served
  Drilled,         // by `poolwarden drill`
};
std::string_view name(Detail detail);  // "missing_library"

// Who ended it.
enum class Sender {
  Itself,
  OurStop,  // the stop signal
  OurKill,  // it did not stop in time
  OurMemoryRule,
  OurCpuRule,
  OurDrill,
  KernelOom,
  KernelFault,  // SIGSEGV and the like
  KernelSeccomp,
  KernelRlimit,
  Stranger,
  Unknown,
};
std::string_view name(Sender sender);  // "our_stop"

struct Diagnosis {
  Cause cause = Cause::Unknown;
  Detail detail = Detail::None;
  Sender sender = Sender::Unknown;
  bool expected = false;   // a recorded intent explains it
  bool incurable = false;  // trying again cannot help: no such file, not permitted, no such user
  std::string sentence;    // what happened, for people: "was killed by the kernel's OOM killer…"
  std::string next_step;   // what to do about it; may be empty
};

Diagnosis diagnose(const Evidence& evidence, const Circumstances& circumstances);

}  // namespace poolwarden::diagnosis
