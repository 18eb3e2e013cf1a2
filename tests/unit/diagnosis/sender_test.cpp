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
    {Signaled{SIGSEGV}, kRecycled, Sender::KernelFault},
    {Signaled{SIGFPE}, {}, Sender::KernelFault},
    {Signaled{SIGABRT}, {}, Sender::Itself},
    {Signaled{SIGABRT}, {.intent = Intent::PingTimeout}, Sender::OurStop},  // health.stack_signal
    {Signaled{SIGABRT}, {.intent = Intent::StartupTimeout}, Sender::Itself},
    {Signaled{SIGPIPE}, {}, Sender::Itself},
    {Signaled{SIGSYS}, {}, Sender::KernelSeccomp},
    {Signaled{SIGXCPU}, {}, Sender::KernelRlimit},
    {Signaled{SIGXFSZ}, {}, Sender::KernelRlimit},
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

TEST(Sender, IsTheKernelsOomKillerOnlyOfASigkill) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.oom_kills = 1;
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelOom);
  EXPECT_EQ(diagnose(evidence, kKilled).sender, Sender::OurKill);
  evidence.status = Signaled{SIGTERM};
  EXPECT_EQ(unasked(evidence).sender, Sender::Stranger);
}

TEST(Drill, IsNamedAndAsksForNothing) {
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
