// Who ended a worker, as far as it can be told.

#include <algorithm>
#include <csignal>

#include "base/match.h"
#include "diagnosis/inquest.h"

namespace poolwarden::diagnosis {
namespace {

// Whose rule led to it; Unknown: none's.
Sender of_rule(const Circumstances& circumstances) {
  if (circumstances.intent != Intent::Recycle) return Sender::Unknown;
  const std::string& reason = circumstances.recycle_reason;
  if (reason == "memory" || reason == "private_memory") return Sender::OurMemoryRule;
  return reason == "cpu" ? Sender::OurCpuRule : Sender::Unknown;
}

Sender of_ours(const Circumstances& circumstances, Sender otherwise) {
  const Sender rule = of_rule(circumstances);
  return rule == Sender::Unknown ? otherwise : rule;
}

Sender of_code(const Exited& end, const Inquest& inquest) {
  if (is_end_of_struck_child(end, inquest.evidence)) return Sender::KernelOom;
  const Circumstances& circumstances = inquest.circumstances;
  // It is killed without a stop signal before.
  const bool was_asked =
      circumstances.intent != Intent::None && circumstances.intent != Intent::StartupTimeout;
  return was_asked ? of_ours(circumstances, Sender::OurStop) : Sender::Itself;
}

Sender of_kill(const Inquest& inquest) {
  if (inquest.circumstances.kill_sent) return of_ours(inquest.circumstances, Sender::OurKill);
  if (was_struck_by_oom(inquest.evidence)) return Sender::KernelOom;
  return inquest.evidence.is_over_cpu_rlimit ? Sender::KernelRlimit : Sender::Stranger;
}

// `kernel` where the kernel made the signal, `otherwise` where nothing tells.
Sender of_origin(const Inquest& inquest, Sender kernel, Sender otherwise = Sender::Unknown) {
  switch (origin_of(inquest)) {
    case Origin::Unknown:
      return otherwise;
    case Origin::Kernel:
      return kernel;
    case Origin::Itself:
      return Sender::Itself;
    case Origin::Stranger:
      return Sender::Stranger;
  }
  return otherwise;
}

// Also health.stack_signal of one that hangs. What it wrote tells that it was abort(3) of its own.
Sender of_abort(const Inquest& inquest) {
  const Intent intent = inquest.circumstances.intent;
  const auto& own = inquest.circumstances.own_signals;
  const bool hung = intent == Intent::PingTimeout || intent == Intent::RequestTimeout ||
                    intent == Intent::Deadlock;
  if (hung && std::find(own.begin(), own.end(), SIGABRT) != own.end()) return Sender::OurStop;
  const bool has_said_so = !read_abort(inquest).words.empty();
  return of_origin(inquest, Sender::KernelFault, has_said_so ? Sender::Itself : Sender::Unknown);
}

Sender of_rlimit(bool was_met, const Inquest& inquest) {
  if (was_met) return Sender::KernelRlimit;
  return of_origin(inquest, Sender::KernelRlimit);
}

Sender of_signal(int signal, const Inquest& inquest) {
  switch (signal) {
    case SIGKILL:
      return of_kill(inquest);
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
      return of_origin(inquest, Sender::KernelFault);
    case SIGSYS:
      return of_origin(inquest, Sender::KernelSeccomp);
    case SIGXCPU:
      return of_rlimit(inquest.evidence.is_over_cpu_rlimit, inquest);
    case SIGXFSZ:
      return of_rlimit(inquest.evidence.has_file_size_rlimit, inquest);
    case SIGABRT:
      return of_abort(inquest);
    case SIGPIPE:
    case SIGALRM:
    case SIGVTALRM:
    case SIGPROF:
    case SIGIO:
      return of_origin(inquest, Sender::Itself);  // its own writes, timers and descriptors
    default:
      break;
  }
  if (origin_of(inquest) == Origin::Itself) return Sender::Itself;
  const Circumstances& circumstances = inquest.circumstances;
  if (circumstances.intent == Intent::None) return Sender::Stranger;
  return of_ours(circumstances, Sender::OurStop);
}

// The kernel sends it as if the process had called kill(2).
bool may_be_of_its_file_limit(const Inquest& inquest) {
  const auto* struck = std::get_if<Signaled>(&inquest.evidence.status);
  return struck && struck->signal == SIGXFSZ && inquest.evidence.fault->si_code == SI_USER;
}

}  // namespace

// The kernel's log tells of nothing that was sent, and has no code.
Origin origin_of(const Inquest& inquest) {
  const auto& fault = inquest.evidence.fault;
  if (!fault) return Origin::Unknown;
  if (!fault->si_code || *fault->si_code > 0) return Origin::Kernel;
  if (fault->sender_pid) return Origin::Stranger;
  return may_be_of_its_file_limit(inquest) ? Origin::Unknown : Origin::Itself;
}

Sender sender_of(const Inquest& inquest) {
  return std::visit(Match{[&](const NotStarted&) { return Sender::Unknown; },
                          [&](const Exited& end) { return of_code(end, inquest); },
                          [&](const Signaled& end) { return of_signal(end.signal, inquest); }},
                    inquest.evidence.status);
}

}  // namespace poolwarden::diagnosis
