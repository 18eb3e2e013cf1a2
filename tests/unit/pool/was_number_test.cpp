// The numbers of WAS by the details of an event: one sample at least for each row of the table.

#include "pool/was_number.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <map>

namespace poolwarden::pool {
namespace {

using namespace std::chrono_literals;
using diagnosis::Awaited;
using diagnosis::Circumstances;
using diagnosis::Evidence;
using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::Intent;
using diagnosis::NotStarted;
using diagnosis::Obstacle;
using diagnosis::Signaled;
using diagnosis::SpawnStage;

Event event_of(EventKind kind, Details details) {
  return {.kind = kind, .pool = "web", .worker = {}, .sentence = "", .details = std::move(details)};
}

Event end_of(EventKind kind, ExitStatus status, const std::string& output = "",
             const Circumstances& circumstances = {}) {
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->evidence.status = std::move(status);
  certificate->evidence.last_output = output;
  if (circumstances.awaited == Awaited::Http && !circumstances.inherits_socket && output == "SSH")
    certificate->evidence.protocol_breach = output;
  certificate->diagnosis = diagnose(certificate->evidence, circumstances);
  return event_of(kind, ExitDetails{certificate, std::nullopt, true});
}

Event failed_start(ExitStatus status, const std::string& output = "",
                   const Circumstances& circumstances = {}) {
  return end_of(EventKind::WorkerStartFailed, std::move(status), output, circumstances);
}

Event late_start(Awaited awaited, bool inherits = false) {
  Circumstances circumstances;
  circumstances.intent = Intent::StartupTimeout;
  circumstances.kill_sent = true;
  circumstances.awaited = awaited;
  circumstances.inherits_socket = inherits;
  return failed_start(Signaled{SIGKILL}, "", circumstances);
}

Event unready_answer() {
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->evidence.status = Signaled{SIGKILL};
  certificate->evidence.probe = diagnosis::ProbeAnswer{"/readyz", 503, "", true};
  certificate->diagnosis =
      diagnose(certificate->evidence,
               {.intent = Intent::StartupTimeout, .kill_sent = true, .awaited = Awaited::Http});
  return event_of(EventKind::WorkerStartFailed, ExitDetails{certificate, std::nullopt, true});
}

Event recycling(RecycleReason reason) {
  return event_of(EventKind::WorkerRecycling, RecycleDetails{reason});
}

struct Sample {
  Event event;
  int number;
};

std::vector<Sample> failed_starts() {
  const std::string lost = "cannot watch a child: too many files";
  return {
      {failed_start(NotStarted{SpawnStage::Clone, EMFILE, lost}), 5167},
      {failed_start(NotStarted{SpawnStage::Clone, EAGAIN, ""}), 5022},
      {failed_start(NotStarted{SpawnStage::Cgroup, ENOENT, ""}), 5028},
      {failed_start(NotStarted{SpawnStage::Identity, 0, "no user"}), 5021},
      {failed_start(NotStarted{SpawnStage::Limits, EINVAL, "cannot set limits.affinity"}), 5058},
      {failed_start(NotStarted{SpawnStage::Limits, EPERM, "cannot set limits.core"}), 5022},
      {failed_start(NotStarted{SpawnStage::Directory, ENOENT, "/gone"}), 5022},
      {failed_start(NotStarted{SpawnStage::Exec, ENOENT, "app"}), 5022},
      {failed_start(NotStarted{SpawnStage::Exec, ENOENT, "app", Obstacle::MissingInterpreter}),
       2294},
      {failed_start(Exited{127},
                    "app: error while loading shared libraries: l.so: wrong ELF class: ELFCLASS32"),
       2282},
      {failed_start(Exited{127}, "app: symbol lookup error: l.so: undefined symbol: f"), 2280},
      {failed_start(Exited{1}, "bind: Address already in use"), 2269},
      {late_start(Awaited::Notify), 2281},
      {late_start(Awaited::Http, true), 2279},
      {late_start(Awaited::Connection), 2278},
      {late_start(Awaited::Nothing), 2276},
      {unready_answer(), 2276},
      {failed_start(Exited{1}, "ModuleNotFoundError: No module named 'x'"), 2277},
      {failed_start(Exited{1}, "ImportError: l.so: undefined symbol: f"), 2277},
      {failed_start(Exited{1}), 2276},
      {failed_start(Signaled{SIGSEGV}), 2276},
  };
}

std::vector<Sample> samples() {
  std::vector<Sample> all = failed_starts();
  Circumstances answers_nonsense;
  answers_nonsense.intent = Intent::PingTimeout;
  answers_nonsense.awaited = Awaited::Http;
  const std::vector<Sample> others = {
      {end_of(EventKind::WorkerExited, Exited{1}), 5009},
      {end_of(EventKind::WorkerExited, Exited{1}, "bind: Address already in use"), 5009},
      {end_of(EventKind::WorkerExited, Signaled{SIGKILL}, "SSH", answers_nonsense), 5127},
      {end_of(EventKind::WorkerStopped, Exited{1}), 0},
      {event_of(EventKind::PoolStartFailure, DisabledDetails{DisabledReason::Identity}), 5057},
      {event_of(EventKind::PoolStartFailure, DisabledDetails{DisabledReason::StartFailure}), 5059},
      {recycling(RecycleReason::Time), 5074},
      {recycling(RecycleReason::Requests), 5075},
      {recycling(RecycleReason::Schedule), 5076},
      {recycling(RecycleReason::Memory), 5077},
      {recycling(RecycleReason::PrivateMemory), 5117},
      {recycling(RecycleReason::Cpu), 5025},
      {recycling(RecycleReason::Unhealthy), 5078},
      {recycling(RecycleReason::WorkerRequest), 5078},
      {recycling(RecycleReason::Manual), 5079},
      {recycling(RecycleReason::ConfigChange), 5080},
      {recycling(RecycleReason::FileChange), 5080},
      {recycling(RecycleReason::QueueLimit), 0},
      {event_of(EventKind::RecycleFailed, RecycleDetails{RecycleReason::Time}), 5093},
      {event_of(EventKind::WorkerUnhealthy, AilmentDetails{Ailment::Ping}), 5010},
      {event_of(EventKind::WorkerUnhealthy, AilmentDetails{Ailment::Deadlock}), 0},
      {event_of(EventKind::WorkerUnhealthyIgnored, AilmentDetails{Ailment::Ping}), 5082},
      {event_of(EventKind::WorkerIdle, IdleDetails{.shortened = false}), 5186},
      {event_of(EventKind::WorkerIdle, IdleDetails{.shortened = true}), 5195},
      {event_of(EventKind::IdleShortened, ShorteningDetails{.aggressive = false}), 5192},
      {event_of(EventKind::IdleShortened, ShorteningDetails{.aggressive = true}), 5193},
      {event_of(EventKind::HookFailed, HookDetails{"orphan.action"}), 5015},
      {event_of(EventKind::HookFailed, HookDetails{"rapid_fail.action"}), 5054},
  };
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

std::string words_of(const Event& event) {
  const auto* exit = std::get_if<ExitDetails>(&event.details);
  return std::string(type_of(event.kind).name) +
         (exit ? ": " + exit->certificate->diagnosis.sentence : "");
}

TEST(WasNumber, FollowsFromTheDetails) {
  for (const Sample& sample : samples())
    EXPECT_EQ(was_number(sample.event), sample.number) << words_of(sample.event);
}

TEST(WasNumber, HasASampleForEachRowWhichHasTheLevelThatTheRowTells) {
  std::map<const WasNumber*, int> used;
  for (const Sample& sample : samples()) {
    for (const WasNumber& row : was_numbers()) {
      if (row.kind != sample.event.kind || !row.applies(sample.event)) continue;
      ++used[&row];
      EXPECT_EQ(level_of(sample.event), row.level) << words_of(sample.event);
      break;
    }
  }
  for (const WasNumber& row : was_numbers()) EXPECT_GT(used[&row], 0) << row.when;
}

TEST(WasNumber, IsTheKindsOwnWithoutDetails) {
  for (int i = 0; i < kEventKinds; ++i) {
    const EventType& type = type_of(static_cast<EventKind>(i));
    EXPECT_EQ(was_number(event_of(type.kind, std::monostate{})), type.was_number) << type.name;
  }
}

}  // namespace
}  // namespace poolwarden::pool
