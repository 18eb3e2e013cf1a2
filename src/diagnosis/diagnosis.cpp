#include "diagnosis/diagnosis.h"

#include <algorithm>
#include <csignal>
#include <variant>

#include "base/clean_text.h"
#include "base/match.h"
#include "base/units.h"
#include "diagnosis/inquest.h"
#include "diagnosis/thread_summary.h"

namespace poolwarden::diagnosis {
namespace {

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

// An end that is nobody's wish, even of a worker that was asked to end.
bool means_defect(Cause cause) {
  return cause == Cause::Segfault || cause == Cause::StackOverflow || cause == Cause::BusError ||
         cause == Cause::Abort || cause == Cause::IllegalInstruction ||
         cause == Cause::Arithmetic || cause == Cause::Seccomp || cause == Cause::CpuLimit ||
         cause == Cause::FileSizeLimit || cause == Cause::OomKilled;
}

std::string output_of(const Evidence& evidence) {
  if (!evidence.last_output.empty()) return evidence.last_output;
  std::string text;
  for (const WrittenLine& line : evidence.output) text += line.text + "\n";
  return text;
}

// What the kernel told, before what we had asked is weighed against it.
Diagnosis from_status(const Inquest& inquest) {
  return std::visit(Match{[&](const NotStarted& end) { return judge_start(end, inquest); },
                          [&](const Exited& end) { return judge_code(end, inquest); },
                          [&](const Signaled& end) { return judge_signal(end, inquest); }},
                    inquest.evidence.status);
}

Diagnosis after_our_kill(const Inquest& inquest) {
  const auto& limit = inquest.circumstances.limit;
  Diagnosis told;
  told.cause = Cause::KilledBySupervisor;
  told.expected = true;
  told.sentence = "did not stop in time";
  if (limit) told.sentence += " (stop.timeout " + format_duration(*limit) + ")";
  told.sentence += " and was killed";
  const std::string threads = summary_of(inquest.evidence.threads);
  if (!threads.empty()) told.sentence += "; " + threads;
  told.next_step = "Let the worker react to stop.signal sooner, or raise stop.timeout.";
  return told;
}

// Of a worker that was asked to end, and did.
Diagnosis as_asked(Diagnosis told, const Inquest& inquest) {
  const std::string status = describe(inquest.evidence.status);
  const auto* struck = std::get_if<Signaled>(&inquest.evidence.status);
  told.expected = true;
  told.detail = Detail::None;
  told.next_step.clear();
  if (struck && struck->signal == SIGKILL) {  // who sent it was not us
    told.sentence = "ended while it was stopping: " + status + ", which poolwarden did not send";
    return told;
  }
  if (struck) told.cause = Cause::KilledBySupervisor;
  told.sentence = "stopped as asked: " + status;
  return told;
}

// What ended a worker before we did, though some time was over: the kernel writes a core for as
// long as it likes, and one that hangs for want of memory may be chosen by the OOM killer.
bool ended_before_us(Cause cause, const Inquest& inquest) {
  const auto* struck = std::get_if<Signaled>(&inquest.evidence.status);
  if (!struck || !means_defect(cause)) return false;
  const Circumstances& circumstances = inquest.circumstances;
  if (struck->signal == SIGKILL) return !circumstances.kill_sent;
  const auto& own = circumstances.own_signals;
  return std::find(own.begin(), own.end(), struck->signal) == own.end();
}

Diagnosis weigh(Diagnosis told, const Inquest& inquest) {
  const Circumstances& circumstances = inquest.circumstances;
  if (std::holds_alternative<NotStarted>(inquest.evidence.status)) return told;
  const Cause timeout = cause_of_timeout(circumstances.intent);
  if (timeout != Cause::Unknown && ended_before_us(told.cause, inquest)) {
    told.sentence += "; meanwhile it " + describe_timeout(timeout, inquest);
    return told;
  }
  if (timeout != Cause::Unknown) return judge_timeout(timeout, inquest);
  if (circumstances.intent == Intent::None) return told;

  const auto* struck = std::get_if<Signaled>(&inquest.evidence.status);
  if (struck && struck->signal == SIGKILL && circumstances.kill_sent)
    return after_our_kill(inquest);
  if (means_defect(told.cause)) return told;
  return as_asked(std::move(told), inquest);
}

void add_drill(const std::string& drill, Diagnosis& told) {
  told.detail = Detail::Drilled;
  told.sentence += " (a drill: `poolwarden drill " + drill + "`)";
  told.next_step = "Nothing: it was a drill.";
}

void add_lost_cgroup(Diagnosis& told) {
  if (told.detail == Detail::None) told.detail = Detail::CgroupGone;
  told.next_step +=
      " Look for who moves processes out of poolwarden's cgroups and removes these: nobody else "
      "may manage them.";
}

// What is said of any pool, as of this one: in the tables of codes it has no name.
void name_pool(const std::string& pool, std::string& next_step) {
  if (pool.empty()) return;
  for (const std::string command : {"poolwarden debug ", "poolwarden why "}) {
    const std::string of_any = command + "POOL", of_it = command + pool;
    for (auto at = next_step.find(of_any); at != std::string::npos;
         at = next_step.find(of_any, at + of_it.size()))
      next_step.replace(at, of_any.size(), of_it);
  }
}

// A drill looks like any of these.
bool is_of_none_of_ours(Sender sender) {
  return sender == Sender::KernelFault || sender == Sender::KernelOom ||
         sender == Sender::Stranger || sender == Sender::Itself || sender == Sender::Unknown;
}

}  // namespace

const OutputClue* Inquest::clue(ClueKind kind) const {
  constexpr std::size_t kManyLines = 10;
  constexpr int kNotExecutable = 126, kNotFound = 127;  // as shells and loaders say it
  const auto* left = std::get_if<Exited>(&evidence.status);
  const bool could_not_begin =
      left && !circumstances.was_ready && (left->code == kNotExecutable || left->code == kNotFound);
  const OutputClue* found = find_clue(clues, kind);
  if (!found) return nullptr;
  return could_not_begin || found->lines_after <= kManyLines ? found : nullptr;
}

const LoaderFinding* foreign_file(const Evidence& evidence) {
  const auto& all = evidence.loader;
  const auto found = std::find_if(all.begin(), all.end(), [](const LoaderFinding& it) {
    return it.needed.empty() && !it.machine.empty();
  });
  return found == all.end() ? nullptr : &*found;
}

Diagnosis diagnose(const Evidence& evidence, const Circumstances& circumstances) {
  const std::string output = output_of(evidence);
  const Inquest inquest{evidence, circumstances, output, find_clues(output)};
  Diagnosis told = weigh(from_status(inquest), inquest);
  told.sender = sender_of(inquest);
  if (!told.expected) told.sentence += aside(inquest, told);
  if (!told.expected && evidence.was_cgroup_removed) add_lost_cgroup(told);
  if (!circumstances.drill.empty() && !told.expected) {
    const bool has_run = !std::holds_alternative<NotStarted>(evidence.status);
    if (has_run && is_of_none_of_ours(told.sender)) told.sender = Sender::OurDrill;
    add_drill(circumstances.drill, told);
  }
  name_pool(circumstances.pool, told.next_step);
  // Names of processes and files, and what it wrote, may hold anything.
  told.sentence = escaped(told.sentence);
  told.next_step = escaped(told.next_step);
  return told;
}

}  // namespace poolwarden::diagnosis
