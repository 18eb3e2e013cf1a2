#include "diagnosis/diagnosis.h"

#include <cerrno>
#include <csignal>
#include <variant>

namespace poolwarden::diagnosis {
namespace {

struct Meaning {
  Cause cause;
  const char* next_step;
};

bool mentions(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

// What ld.so writes before it exits with 127, ld.so(8).
bool is_loader_text(const std::string& output) {
  return mentions(output, "error while loading shared libraries") ||
         mentions(output, "symbol lookup error") || mentions(output, "relocation error");
}

bool is_port_text(const std::string& output) {
  return mentions(output, "Address already in use") || mentions(output, "EADDRINUSE") ||
         mentions(output, "address already in use");
}

Meaning meaning_of_code(const Exited& end, const std::string& output) {
  if (end.code == 0) {
    return {Cause::ExitZero,
            "A worker must stay in the foreground: switch off its daemon mode, or look in its "
            "output for why it finished."};
  }
  if (end.code == 127 && is_loader_text(output))
    return {Cause::LoaderFailed, "Install or repair the shared library that its output names."};
  if (is_port_text(output)) {
    return {Cause::PortInUse,
            "Let the worker listen where it is told: $POOLWARDEN_SOCKET, $HOST and $PORT, or "
            "descriptor 3."};
  }
  if (end.code == 78) return {Cause::ConfigError, "Correct the worker's own configuration."};
  if (end.code == 126) {
    return {Cause::ExecNotExecutable,
            "A shell or wrapper could not execute the program: check its mode and its owner."};
  }
  if (end.code == 255)
    return {Cause::Exit255, "255 is also what exit(-1) gives: look in the worker's output."};
  return {Cause::ExitNonzero, "Look in the worker's output for the error that it ended with."};
}

Meaning meaning_of_signal(int signal, bool oom) {
  constexpr const char* kDebug = "Set limits.core and look at the core file with gdb.";
  switch (signal) {
    case SIGSEGV:
      return {Cause::Segfault, kDebug};
    case SIGBUS:
      return {Cause::BusError, kDebug};
    case SIGABRT:
      return {Cause::Abort,
              "It aborted itself: an assertion, an uncaught exception or a damaged "
              "heap; its output says which."};
    case SIGILL:
      return {Cause::IllegalInstruction,
              "The program was built for another processor, or ran into "
              "a trap."};
    case SIGFPE:
      return {Cause::Arithmetic, kDebug};
    case SIGSYS:
      return {Cause::Seccomp, "A seccomp filter forbids a system call that it made."};
    case SIGXCPU:
      return {Cause::CpuLimit, "Raise RLIMIT_CPU, or find what runs in circles."};
    case SIGXFSZ:
      return {Cause::FileSizeLimit, "Raise RLIMIT_FSIZE, or find what writes so much."};
    case SIGKILL:
      if (oom)
        return {
            Cause::OomKilled,
            "Raise limits.memory or the container's limit, or find the leak; recycle.over_memory "
            "replaces a worker before it comes to this."};
      break;
    case SIGPIPE:
    case SIGALRM:
    case SIGVTALRM:
    case SIGTRAP:
      return {Cause::Unknown,
              "The worker gets this signal by what it does itself; let it handle "
              "or ignore it."};
    default:
      break;
  }
  return {Cause::KilledExternal,
          "Somebody else sent the signal: look for operators, scripts and, for SIGKILL without a "
          "memory limit, the machine's own OOM killer (dmesg)."};
}

bool is_incurable(int error) {
  switch (error) {
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETXTBSY:
    case EBUSY:
    case EINTR:
    case EADDRINUSE:
    case ENOSPC:
      return false;
    default:
      return true;
  }
}

const char* cure_of_stage(const NotStarted& end) {
  switch (end.stage) {
    case SpawnStage::Exec:
      if (end.error == ENOENT) return "Correct the pool's command, or install the program.";
      if (end.error == EACCES)
        return "Make the program executable for the pool's user, with every "
               "directory above it.";
      if (end.error == ENOEXEC)
        return "It is neither a program of this machine's architecture nor "
               "a script with a #! line.";
      return "Correct the pool's command.";
    case SpawnStage::Directory:
      return "Correct the pool's directory.";
    case SpawnStage::Identity:
      return "Correct the pool's identity, or run poolwarden as a user who may become it.";
    case SpawnStage::Cgroup:
      return "Grant the container a writable cgroup, or set containment: best_effort.";
    case SpawnStage::Limits:
      return "Lower the limit, or set containment: best_effort.";
    case SpawnStage::Clone:
      return "The system cannot make another process: look at pids limits and memory.";
    case SpawnStage::Session:
    case SpawnStage::Stdio:
      return "";
  }
  return "";
}

Cause cause_of_timeout(Intent intent) {
  switch (intent) {
    case Intent::StartupTimeout:
      return Cause::StartupTimeout;
    case Intent::PingTimeout:
      return Cause::PingTimeout;
    case Intent::RequestTimeout:
      return Cause::RequestTimeout;
    case Intent::Deadlock:
      return Cause::Deadlock;
    case Intent::None:
    case Intent::Recycle:
    case Intent::Reload:
    case Intent::PoolStop:
    case Intent::Shutdown:
    case Intent::ScaleDown:
    case Intent::IdleTimeout:
      break;
  }
  return Cause::Unknown;
}

bool means_defect(Cause cause) {
  return cause == Cause::Segfault || cause == Cause::BusError || cause == Cause::Abort ||
         cause == Cause::IllegalInstruction || cause == Cause::Arithmetic ||
         cause == Cause::Seccomp || cause == Cause::OomKilled;
}

std::string timeout_sentence(Cause cause) {
  if (cause == Cause::StartupTimeout) return "was not ready within ready.timeout and was killed";
  if (cause == Cause::PingTimeout) return "did not answer its pings in time and was ended";
  if (cause == Cause::Deadlock)
    return "answered none of the requests that waited for health.deadlock.after and was ended";
  return "did not answer a request within health.request_timeout and was ended";
}

// What the kernel told, before what we had asked is weighed against it.
Diagnosis from_status(const Evidence& evidence) {
  Diagnosis told;
  if (const auto* end = std::get_if<NotStarted>(&evidence.status)) {
    told.cause = Cause::ExecFailed;
    told.incurable = is_incurable(end->error);
    told.next_step = cure_of_stage(*end);
  } else if (const auto* left = std::get_if<Exited>(&evidence.status)) {
    const Meaning meaning = meaning_of_code(*left, evidence.last_output);
    told.cause = meaning.cause;
    told.next_step = meaning.next_step;
  } else if (const auto* struck = std::get_if<Signaled>(&evidence.status)) {
    const Meaning meaning = meaning_of_signal(struck->signal, evidence.oom_kills > 0);
    told.cause = meaning.cause;
    told.next_step = meaning.next_step;
  }
  told.sentence = describe(evidence.status);
  if (told.cause == Cause::OomKilled)
    told.sentence = "was killed by the kernel's OOM killer at the memory limit of its cgroup";
  if (told.cause == Cause::ExitZero) told.sentence += " without having been asked to stop";
  if (told.cause == Cause::KilledExternal) told.sentence += ", which poolwarden did not send";
  return told;
}

}  // namespace

Diagnosis diagnose(const Evidence& evidence, const Circumstances& circumstances) {
  Diagnosis told = from_status(evidence);
  if (std::holds_alternative<NotStarted>(evidence.status)) return told;

  const Cause timeout = cause_of_timeout(circumstances.intent);
  if (timeout != Cause::Unknown) {
    told = {};
    told.cause = timeout;
    told.sentence = timeout_sentence(timeout);
    return told;
  }
  if (circumstances.intent == Intent::None) return told;

  const auto* struck = std::get_if<Signaled>(&evidence.status);
  if (struck && struck->signal == SIGKILL && circumstances.kill_sent) {
    told = {};
    told.cause = Cause::KilledBySupervisor;
    told.expected = true;
    told.sentence = "did not stop in time and was killed";
    told.next_step = "Let the worker react to stop.signal sooner, or raise stop.timeout.";
    return told;
  }
  if (means_defect(told.cause)) return told;
  told.expected = is_expected(circumstances.intent);
  if (told.expected) {
    if (struck) told.cause = Cause::KilledBySupervisor;
    told.sentence = "stopped as asked: " + describe(evidence.status);
    told.next_step.clear();
  }
  return told;
}

}  // namespace poolwarden::diagnosis
