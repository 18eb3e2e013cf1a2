// Who ended a worker: from its status, what we had asked, and what the kernel told.

#include <gtest/gtest.h>

#include <csignal>

#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

struct Row {
  ExitStatus status;
  Circumstances circumstances;
  Sender sender;
};

const Circumstances kRecycledForMemory = {.intent = Intent::Recycle, .recycle_reason = "memory"};
const Circumstances kRecycledForCpu = {.intent = Intent::Recycle, .recycle_reason = "cpu"};
const Circumstances kRecycled = {.intent = Intent::Recycle, .recycle_reason = "time"};
const Circumstances kHung = {.intent = Intent::PingTimeout, .own_signals = {SIGTERM, SIGABRT}};
const Circumstances kKilled = {.intent = Intent::PoolStop, .kill_sent = true};
const Circumstances kKilledForCpu = {
    .intent = Intent::Recycle, .kill_sent = true, .recycle_reason = "cpu"};

const Row kRows[] = {
    {Exited{1}, {}, Sender::Itself},
    {Exited{0}, kRecycled, Sender::OurStop},
    {Exited{0}, kRecycledForMemory, Sender::OurMemoryRule},
    {Exited{0}, kRecycledForCpu, Sender::OurCpuRule},
    {Exited{1}, {.intent = Intent::StartupTimeout}, Sender::Itself},
    {Exited{1}, {.intent = Intent::PingTimeout}, Sender::OurStop},
    {Signaled{SIGTERM}, {}, Sender::Stranger},
    {Signaled{SIGTERM}, kRecycled, Sender::OurStop},
    {Signaled{SIGQUIT}, {.intent = Intent::Shutdown}, Sender::OurStop},
    {Signaled{SIGTERM}, kRecycledForMemory, Sender::OurMemoryRule},
    {Signaled{SIGKILL}, {}, Sender::Stranger},
    {Signaled{SIGKILL}, kKilled, Sender::OurKill},
    {Signaled{SIGKILL}, kKilledForCpu, Sender::OurCpuRule},
    {Signaled{SIGKILL}, kRecycled, Sender::Stranger},
    {Signaled{SIGSEGV}, kRecycled, Sender::Unknown},  // kill -SEGV looks the same
    {Signaled{SIGFPE}, {}, Sender::Unknown},
    {Signaled{SIGABRT}, {}, Sender::Unknown},
    {Signaled{SIGABRT}, kHung, Sender::OurStop},  // health.stack_signal
    {Signaled{SIGABRT},
     {.intent = Intent::PingTimeout, .own_signals = {SIGTERM, SIGQUIT}},
     Sender::Unknown},
    {Signaled{SIGABRT}, {.intent = Intent::StartupTimeout}, Sender::Unknown},
    {Signaled{SIGPIPE}, {}, Sender::Unknown},  // kill -PIPE looks the same
    {Signaled{SIGALRM}, {}, Sender::Unknown},
    {Signaled{SIGIO}, {}, Sender::Unknown},
    {Signaled{SIGPROF}, {}, Sender::Unknown},
    {Signaled{SIGSYS}, {}, Sender::Unknown},
    {Signaled{SIGXCPU}, {}, Sender::Unknown},
    {Signaled{SIGXFSZ}, {}, Sender::Unknown},
    {Signaled{SIGSEGV}, {.drill = "segfault"}, Sender::OurDrill},
    {Signaled{SIGABRT}, {.drill = "abort"}, Sender::OurDrill},
    {Exited{3}, {.drill = "exit=3"}, Sender::OurDrill},
    {NotStarted{}, {}, Sender::Unknown},
};

TEST(Sender, FollowsFromStatusAndCircumstances) {
  for (const Row& row : kRows) {
    const Diagnosis told = diagnose(left(row.status), row.circumstances);
    EXPECT_EQ(name(told.sender), name(row.sender))
        << describe(row.status) << ", " << name(row.circumstances.intent);
  }
}

TEST(Sender, OfAFaultIsWhoTheCoreFileOrTheKernelsLogNames) {
  const FaultSite by_kernel{.si_code = 1, .address = 16};
  const FaultSite in_log{.stack_pointer = 16};
  const FaultSite by_kill{.si_code = SI_USER, .sender_pid = 7};
  const FaultSite by_queue{.si_code = SI_QUEUE, .sender_pid = 7};
  const FaultSite by_tgkill{.si_code = SI_TKILL, .sender_pid = 7};
  const FaultSite by_raise{.si_code = SI_TKILL};
  const FaultSite by_timer{.si_code = SI_TIMER};
  const std::pair<int, Sender> rows[] = {
      {SIGSEGV, Sender::KernelFault},  {SIGBUS, Sender::KernelFault},
      {SIGILL, Sender::KernelFault},   {SIGFPE, Sender::KernelFault},
      {SIGTRAP, Sender::KernelFault},  {SIGSYS, Sender::KernelSeccomp},
      {SIGXCPU, Sender::KernelRlimit}, {SIGXFSZ, Sender::KernelRlimit}};
  for (const auto& [signal, kernel] : rows) {
    Evidence evidence = left(Signaled{signal});
    for (const auto& [fault, sender] :
         {std::pair(by_kernel, kernel), std::pair(in_log, kernel),
          std::pair(by_kill, Sender::Stranger), std::pair(by_queue, Sender::Stranger),
          std::pair(by_tgkill, Sender::Stranger), std::pair(by_raise, Sender::Itself),
          std::pair(by_timer, Sender::Itself)}) {
      evidence.fault = fault;
      EXPECT_EQ(name(unasked(evidence).sender), name(sender))
          << signal << " " << fault.si_code.value_or(0);
    }
  }
}

TEST(Sender, OfWhatAProcessSentItselfIsItself) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGSYS, SIGXCPU, SIGPIPE, SIGPROF, SIGQUIT}) {
    Evidence evidence = left(Signaled{signal});
    evidence.fault = FaultSite{.si_code = SI_USER};
    EXPECT_EQ(name(unasked(evidence).sender), name(Sender::Itself)) << signal;
  }
  Evidence evidence = left(Signaled{SIGALRM});
  evidence.fault = FaultSite{.si_code = SI_KERNEL};  // setitimer(2)
  EXPECT_EQ(unasked(evidence).sender, Sender::Itself);
}

TEST(Sender, IsTheLimitThatIsKnownToBeMet) {
  Evidence evidence = left(Signaled{SIGXCPU});
  evidence.is_over_cpu_rlimit = true;
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelRlimit);
  evidence.status = Signaled{SIGXFSZ};
  EXPECT_EQ(unasked(evidence).sender, Sender::Unknown);
  evidence.fault = FaultSite{.si_code = SI_USER};  // as if it had sent it itself
  EXPECT_EQ(unasked(evidence).sender, Sender::Unknown);
  EXPECT_EQ(unasked(evidence).sentence, "was killed by SIGXFSZ");
  evidence.has_file_size_rlimit = true;
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelRlimit);
  EXPECT_EQ(unasked(evidence).sentence, "was killed by SIGXFSZ");
}

TEST(Sender, IsItselfWhereItWroteWhyItAborts) {
  EXPECT_EQ(unasked(left(Signaled{SIGABRT}, "free(): invalid pointer")).sender, Sender::Itself);
  EXPECT_EQ(unasked(left(Signaled{SIGABRT}, "GET / 200")).sender, Sender::Unknown);
}

TEST(Sender, IsTheKernelsOomKillerOnlyOfASigkill) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.oom_kills = 1;
  EXPECT_EQ(unasked(evidence).sender, Sender::Stranger) << "long before";
  evidence.memory.recent_oom_kills = 1;
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelOom);
  EXPECT_EQ(diagnose(evidence, kKilled).sender, Sender::OurKill);
  evidence.status = Signaled{SIGTERM};
  EXPECT_EQ(unasked(evidence).sender, Sender::Stranger);
}

TEST(Drill, IsNamedAndAsksForNothing) {
  EXPECT_EQ(diagnose(left(Signaled{SIGSEGV}), {.drill = "segv"}).sentence,
            "was killed by SIGSEGV (a drill: `poolwarden drill segv`)");
  expect(diagnose(left(Signaled{SIGABRT}), {.drill = "abort"}),
         {Cause::Abort, Detail::Drilled,
          "was killed by SIGABRT (a drill: `poolwarden drill abort`)", "it was a drill"});
}

TEST(Drill, LeavesAnEndThatWasAskedForAlone) {
  const Diagnosis told = diagnose(left(Exited{0}), {.intent = Intent::Recycle, .drill = "recycle"});
  EXPECT_EQ(told.detail, Detail::None);
  EXPECT_TRUE(told.expected);
}

}  // namespace
}  // namespace poolwarden::diagnosis
