// Ends by a signal: a fault of its own, a limit, the kernel's OOM killer, or somebody's kill.

#include <csignal>
#include <cstdio>

#include "base/clean_text.h"
#include "base/units.h"
#include "diagnosis/exit_status.h"
#include "diagnosis/inquest.h"
#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::uint64_t kFirstPage = 4096;

std::string hex(std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

const SignalRow* row_of(int signal) {
  for (const SignalRow& row : signal_rows()) {
    if (row.number == signal) return &row;
  }
  return nullptr;
}

Diagnosis told(Cause cause, const Signaled& end, const Reading& reading) {
  Diagnosis made;
  made.cause = cause;
  made.detail = reading.detail;
  made.sentence = describe(end) + reading.words;
  made.next_step = reading.next_step;
  return made;
}

std::string next_of(int signal) {
  const SignalRow* row = row_of(signal);
  return row ? std::string(row->next_step) : "Look for who sends it.";
}

bool is_of_timer(const Inquest& inquest) { return inquest.evidence.fault->si_code == SI_TIMER; }

std::string sent_by_itself(const Inquest& inquest) {
  if (is_of_timer(inquest)) return ", which a timer of its own sent";
  const auto& code = inquest.evidence.fault->si_code;
  const char* how = code == SI_TKILL ? " (raise(3))" : code == SI_USER ? " (kill(2))" : "";
  return std::string(", which it sent itself") + how;
}

std::string sent_by_stranger(int pid) {
  if (pid == 0) return ", which a process outside of its pid namespace sent";
  return ", which process " + std::to_string(pid) + " sent";
}

// Empty where no process sent it, or none is known to have.
std::string sent_by(const Inquest& inquest) {
  switch (origin_of(inquest)) {
    case Origin::Unknown:
    case Origin::Kernel:
      return "";
    case Origin::Itself:
      return sent_by_itself(inquest);
    case Origin::Stranger:
      return sent_by_stranger(*inquest.evidence.fault->sender_pid);
  }
  return "";
}

std::string next_of_sent(const Inquest& inquest) {
  if (origin_of(inquest) == Origin::Itself && is_of_timer(inquest))
    return "Let it handle the signals of its timers: timer_create(2).";
  if (origin_of(inquest) == Origin::Itself)
    return "Handlers of crashes do so when they have told what they know: see its output.";
  return "Look for operators, scripts and watchdogs that send the signal.";
}

std::string where(const FaultSite& fault) {
  if (fault.si_code == SI_KERNEL)
    return " by a general protection fault, for which no address is told: mostly a pointer that "
           "was damaged, or that was freed before";
  if (!fault.address) return "; at which address could not be told";
  const bool is_null = *fault.address < kFirstPage;
  return " at address " + hex(*fault.address) + (is_null ? ": a null pointer" : "");
}

// At the core file that there is, or at the next one.
std::string look_at_core(const Inquest& inquest) {
  const auto& core = inquest.evidence.core;
  if (!core || core->path.empty()) return "Set limits.core and look at the core file with gdb.";
  const std::string path = escaped(core->path);
  if (core->why_none.empty()) return "Look at the core file: gdb --core=" + path + ".";
  return "The core file " + path + " is not whole: " + core->why_none +
         ". Make room for the next one, and look at it with gdb.";
}

Diagnosis segfault(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (const std::string sent = sent_by(inquest); !sent.empty())
    return told(Cause::Segfault, end, {Detail::None, sent, next_of_sent(inquest)});
  if (fault && fault->is_stack_exhausted) {
    const std::string touched =
        fault->address ? ": it touched " + hex(*fault->address) + ", right below it" : "";
    return told(Cause::StackOverflow, end,
                {Detail::None, " when its stack was used up" + touched,
                 "Find the endless recursion: the same functions repeat in the backtrace. A stack "
                 "that is only too small is raised with ulimit -s, or in the call that makes the "
                 "thread."});
  }
  std::string site;
  if (fault) {
    site = where(*fault);
  } else if (inquest.circumstances.drill.empty()) {
    site = "; whether its stack ran out, or somebody sent the signal, could not be told";
  }
  return told(Cause::Segfault, end, {Detail::None, site, look_at_core(inquest)});
}

Diagnosis bus_error(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (const std::string sent = sent_by(inquest); !sent.empty())
    return told(Cause::BusError, end, {Detail::None, sent, next_of_sent(inquest)});
  const std::string at =
      fault && fault->address ? " at address " + hex(*fault->address) : std::string();
  return told(Cause::BusError, end, {Detail::None, at, next_of(SIGBUS)});
}

Diagnosis abortion(const Signaled& end, const Inquest& inquest) {
  if (origin_of(inquest) == Origin::Stranger) {
    return told(
        Cause::Abort, end,
        {Detail::None, sent_by(inquest), "It did not abort itself. " + next_of_sent(inquest)});
  }
  Reading reading = read_abort(inquest);
  if (!reading.words.empty()) {
    reading.words = " " + reading.words;
    return told(Cause::Abort, end, reading);
  }
  const std::string line = last_line(inquest.output);
  return told(Cause::Abort, end,
              {Detail::None, line.empty() ? "" : "; its last words: \"" + line + "\"",
               "Mostly it is an assertion, an uncaught exception or a damaged heap: its output "
               "says which, and limits.core adds the stack, and whether another process sent the "
               "signal."});
}

Diagnosis seccomp(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (const std::string sent = sent_by(inquest); !sent.empty())
    return told(Cause::Seccomp, end, {Detail::None, sent, next_of_sent(inquest)});
  if (!fault)
    return told(Cause::Seccomp, end,
                {Detail::None,
                 "; whether a seccomp filter forbade a system call, or somebody sent the signal, "
                 "could not be told",
                 "Set limits.core: a core file has the number of the system call, or who sent the "
                 "signal."});
  std::string call;
  if (fault && fault->syscall_number) {
    call = fault->syscall_name.empty() ? "number " + std::to_string(*fault->syscall_number)
                                       : fault->syscall_name;
  }
  return told(Cause::Seccomp, end,
              {Detail::None,
               ": a seccomp filter forbids " +
                   (call.empty() ? "a system call that it made" : "the system call " + call),
               "Allow " + (call.empty() ? "it" : call) +
                   " in the container's seccomp profile (docker run --security-opt seccomp=FILE), "
                   "or do without it."});
}

constexpr const char* kRaiseCpuLimit =
    "Raise RLIMIT_CPU (ulimit -t, LimitCPU=), or find what runs in circles.";

Diagnosis over_cpu_limit(const Signaled& end, const Inquest& inquest) {
  const Evidence& evidence = inquest.evidence;
  const Duration used = evidence.cpu_user + evidence.cpu_system;
  const std::string figure =
      used == Duration::zero() ? "" : " after " + describe_duration(used) + " of CPU time";
  if (evidence.is_over_cpu_rlimit)
    return told(Cause::CpuLimit, end,
                {Detail::None, figure + ", at its RLIMIT_CPU", kRaiseCpuLimit});
  if (const std::string sent = sent_by(inquest); !sent.empty())
    return told(Cause::CpuLimit, end, {Detail::None, sent, next_of_sent(inquest)});
  return told(Cause::CpuLimit, end,
              {Detail::None, figure + "; that it had met its RLIMIT_CPU was not found",
               std::string(kRaiseCpuLimit) + " If it has no such limit, look for who sends the "
                                             "signal."});
}

// Who it was is not known: by exclusion, neither poolwarden nor the kernel.
constexpr const char* kNotSentByUs = ", which poolwarden did not send";
constexpr const char* kLookForSender =
    "Look in the program itself (a master that kills its group, a watchdog), then for operators "
    "and scripts.";

Diagnosis killed(const Signaled& end, const Inquest& inquest) {
  if (was_struck_by_oom(inquest.evidence)) {
    Diagnosis made;
    const Reading struck = read_oom(inquest.evidence);
    made.cause = Cause::OomKilled;
    made.detail = struck.detail;
    made.sentence = struck.words;
    made.next_step = struck.next_step;
    return made;
  }
  if (inquest.evidence.is_over_cpu_rlimit) return over_cpu_limit(end, inquest);
  std::string next =
      std::string(kLookForSender) +
      " Without limits.memory it may have been the machine's own OOM killer (dmesg).";
  const std::string& tool = inquest.circumstances.debug_tool;
  if (!tool.empty()) next += " " + tool + ", which it ran under, kills it too when it ends.";
  return told(Cause::KilledExternal, end, {Detail::None, kNotSentByUs, next});
}

Diagnosis other(const Signaled& end, const Inquest& inquest) {
  const SignalRow* row = row_of(end.signal);
  const Cause cause = row ? row->cause : Cause::KilledExternal;
  const std::string sender = sent_by(inquest);
  // The kernel sends this one in the name of the process itself.
  const bool is_at_limit = end.signal == SIGXFSZ && inquest.evidence.has_file_size_rlimit;
  if (cause != Cause::KilledExternal)
    return told(cause, end, {Detail::None, is_at_limit ? "" : sender, next_of(end.signal)});
  if (!sender.empty()) return told(cause, end, {Detail::None, sender, next_of_sent(inquest)});
  return told(cause, end, {Detail::None, kNotSentByUs, std::string(kLookForSender)});
}

}  // namespace

Diagnosis judge_signal(const Signaled& end, const Inquest& inquest) {
  switch (end.signal) {
    case SIGSEGV:
      return segfault(end, inquest);
    case SIGBUS:
      return bus_error(end, inquest);
    case SIGABRT:
      return abortion(end, inquest);
    case SIGSYS:
      return seccomp(end, inquest);
    case SIGXCPU:
      return over_cpu_limit(end, inquest);
    case SIGKILL:
      return killed(end, inquest);
    case SIGPIPE:
      return told(
          Cause::Unknown, end,
          {Detail::BrokenOutput, ": mostly a write to a pipe or connection whose reader was gone",
           next_of(SIGPIPE)});
    default:
      return other(end, inquest);
  }
}

}  // namespace poolwarden::diagnosis
