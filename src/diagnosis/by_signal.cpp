// Ends by a signal: a fault of its own, a limit, the kernel's OOM killer, or somebody's kill.

#include <csignal>
#include <cstdio>

#include "base/units.h"
#include "diagnosis/exit_status.h"
#include "diagnosis/inquest.h"
#include "diagnosis/status_rows.h"

namespace poolwarden::diagnosis {
namespace {

constexpr std::uint64_t kFirstPage = 4096;
constexpr const char* kDebug = "Set limits.core and look at the core file with gdb.";

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

std::string sent_by(const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (!fault || !fault->sender_pid) return "";
  return ", which process " + std::to_string(*fault->sender_pid) + " sent";
}

bool was_sent(const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  return fault && fault->sender_pid && fault->si_code <= 0;  // SI_USER and below, sigaction(2)
}

std::string where(const FaultSite& fault) {
  if (fault.address < kFirstPage) return " at address " + hex(fault.address) + ": a null pointer";
  return " at address " + hex(fault.address);
}

Diagnosis segfault(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (was_sent(inquest))
    return told(Cause::Segfault, end, {Detail::None, sent_by(inquest), kDebug});
  if (fault && fault->is_stack_exhausted) {
    return told(
        Cause::StackOverflow, end,
        {Detail::None,
         " when its stack was used up: it touched " + hex(fault->address) + ", right below it",
         "Find the endless recursion: the same functions repeat in the backtrace. A stack "
         "that is only too small is raised with ulimit -s, or in the call that makes the "
         "thread."});
  }
  const bool is_known = fault && (fault->stack_pointer != 0 || fault->address != 0);
  if (is_known) return told(Cause::Segfault, end, {Detail::None, where(*fault), kDebug});
  return told(Cause::Segfault, end,
              {Detail::None, "; whether its stack ran out could not be told", kDebug});
}

Diagnosis bus_error(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  const bool is_fault = fault && !was_sent(inquest) && fault->address != 0;
  return told(Cause::BusError, end,
              {Detail::None, is_fault ? " at address " + hex(fault->address) : sent_by(inquest),
               next_of(SIGBUS)});
}

Diagnosis abortion(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (fault && fault->sender_pid && fault->si_code == SI_USER) {  // abort(3) uses tgkill(2)
    return told(Cause::Abort, end,
                {Detail::None, sent_by(inquest),
                 "It did not abort itself: look for operators, scripts and watchdogs that send "
                 "the signal."});
  }
  Reading reading = read_abort(inquest);
  if (!reading.words.empty()) {
    reading.words = " " + reading.words;
    return told(Cause::Abort, end, reading);
  }
  const std::string line = last_line(inquest.output);
  return told(Cause::Abort, end,
              {Detail::None, line.empty() ? "" : "; its last words: \"" + line + "\"",
               "It aborted itself: an assertion, an uncaught exception or a damaged heap; its "
               "output says which, and limits.core adds the stack."});
}

Diagnosis seccomp(const Signaled& end, const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
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

Diagnosis over_cpu_limit(const Signaled& end, const Inquest& inquest) {
  const Evidence& evidence = inquest.evidence;
  const Duration used = evidence.cpu_user + evidence.cpu_system;
  const std::string figure =
      used == Duration::zero() ? "" : " after " + describe_duration(used) + " of CPU time";
  return told(Cause::CpuLimit, end,
              {Detail::None, figure + ", at its RLIMIT_CPU",
               "Raise RLIMIT_CPU (ulimit -t, LimitCPU=), or find what runs in circles."});
}

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
      "Somebody else sent the signal: look for operators, scripts and, for SIGKILL without a "
      "memory limit, the machine's own OOM killer (dmesg).";
  const std::string& tool = inquest.circumstances.debug_tool;
  if (!tool.empty()) next += " " + tool + ", which it ran under, kills it too when it ends.";
  return told(Cause::KilledExternal, end, {Detail::None, ", which poolwarden did not send", next});
}

Diagnosis other(const Signaled& end, const Inquest& inquest) {
  const SignalRow* row = row_of(end.signal);
  const Cause cause = row ? row->cause : Cause::KilledExternal;
  if (cause != Cause::KilledExternal)
    return told(cause, end, {Detail::None, sent_by(inquest), next_of(end.signal)});
  const std::string sender = sent_by(inquest);
  return told(cause, end,
              {Detail::None, sender.empty() ? ", which poolwarden did not send" : sender,
               "Somebody else sent the signal: look for operators, scripts and what else runs in "
               "its container."});
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
      return told(Cause::Unknown, end,
                  {Detail::BrokenOutput, ": it wrote to a pipe or connection whose reader was gone",
                   next_of(SIGPIPE)});
    default:
      return other(end, inquest);
  }
}

}  // namespace poolwarden::diagnosis
