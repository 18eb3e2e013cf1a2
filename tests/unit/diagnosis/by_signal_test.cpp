// Ends by a signal: what the fault, the cgroup and the output say of it.

#include <gtest/gtest.h>

#include <csignal>

#include "diagnosis/status_table.h"
#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

Evidence faulted(int signal, FaultSite fault) {
  Evidence evidence = left(Signaled{signal});
  evidence.fault = std::move(fault);
  return evidence;
}

TEST(Segfault, SaysWhetherTheStackRanOut) {
  expect(unasked(left(Signaled{SIGSEGV, true})),
         {Cause::Segfault, Detail::None,
          "was killed by SIGSEGV (core dumped); whether its stack ran out, or somebody sent the "
          "signal, could not be told",
          "limits.core"});
  const FaultSite below{.si_code = SEGV_MAPERR,
                        .address = 0x7ffc0000,
                        .stack_pointer = 0x7ffc0010,
                        .is_stack_exhausted = true};
  expect(unasked(faulted(SIGSEGV, below)),
         {Cause::StackOverflow, Detail::None,
          "was killed by SIGSEGV when its stack was used up: it touched 0x7ffc0000, right below it",
          "recursion"});
  const FaultSite elsewhere{
      .si_code = SEGV_MAPERR, .address = 0xdead000, .stack_pointer = 0x7ffc0010};
  expect(unasked(faulted(SIGSEGV, elsewhere)),
         {Cause::Segfault, Detail::None, "was killed by SIGSEGV at address 0xdead000", "gdb"});
  const FaultSite null{.si_code = SEGV_MAPERR, .address = 8, .stack_pointer = 0x7ffc0010};
  EXPECT_EQ(unasked(faulted(SIGSEGV, null)).sentence,
            "was killed by SIGSEGV at address 0x8: a null pointer");
}

TEST(Segfault, LeadsToTheCoreFileThatThereIs) {
  Evidence evidence = left(Signaled{SIGSEGV, true});
  evidence.core = CoreFile{"/srv/core.7", 1 << 20, ""};
  EXPECT_EQ(unasked(evidence).next_step, "Look at the core file: gdb --core=/srv/core.7.");
  evidence.core->why_none = "it was cut off: the file system of /srv is full";
  EXPECT_EQ(unasked(evidence).next_step,
            "The core file /srv/core.7 is not whole: it was cut off: the file system of /srv is "
            "full. Make room for the next one, and look at it with gdb.");
  evidence.core = CoreFile{"", 0, "limits.core is 0"};
  EXPECT_THAT(unasked(evidence).next_step, HasSubstr("Set limits.core"));
}

TEST(Segfault, OfAGeneralProtectionFaultIsNoNullPointer) {
  const FaultSite general{.si_code = SI_KERNEL, .stack_pointer = 0x7ffc0010};
  const Diagnosis told = unasked(faulted(SIGSEGV, general));
  expect(told,
         {Cause::Segfault, Detail::None,
          "was killed by SIGSEGV by a general protection fault, for which no address is told: "
          "mostly a pointer that was damaged, or that was freed before",
          "gdb"});
  EXPECT_EQ(told.sender, Sender::KernelFault);
}

TEST(Segfault, MayHaveNoAddress) {
  const FaultSite trap{.stack_pointer = 0x7ffc0010};
  EXPECT_EQ(unasked(faulted(SIGSEGV, trap)).sentence,
            "was killed by SIGSEGV; at which address could not be told");
  const FaultSite zero{.si_code = SEGV_MAPERR, .address = 0};
  EXPECT_EQ(unasked(faulted(SIGSEGV, zero)).sentence,
            "was killed by SIGSEGV at address 0x0: a null pointer");
}

TEST(Segfault, MayBeRaisedByItsOwnHandlerOfCrashes) {
  const Diagnosis told = unasked(faulted(SIGSEGV, {.si_code = SI_TKILL}));
  expect(told, {Cause::Segfault, Detail::None,
                "was killed by SIGSEGV, which it sent itself (raise(3))", "Handlers of crashes"});
  EXPECT_EQ(told.sender, Sender::Itself);
  EXPECT_EQ(unasked(faulted(SIGSEGV, {.si_code = SI_USER})).sentence,
            "was killed by SIGSEGV, which it sent itself (kill(2))");
  EXPECT_EQ(unasked(faulted(SIGSEGV, {.si_code = SI_QUEUE})).sentence,
            "was killed by SIGSEGV, which it sent itself");
}

TEST(CpuLimit, IsNotWhatATimerOfItsOwnStandsFor) {
  const Diagnosis told = unasked(faulted(SIGXCPU, {.si_code = SI_TIMER}));
  expect(told, {Cause::CpuLimit, Detail::None,
                "was killed by SIGXCPU, which a timer of its own sent", "timer_create(2)"});
  EXPECT_EQ(told.sender, Sender::Itself);
}

TEST(Segfault, MayBeSentByAProcess) {
  const FaultSite sent{.si_code = SI_USER, .sender_pid = 77};
  const Diagnosis told = unasked(faulted(SIGSEGV, sent));
  EXPECT_EQ(told.cause, Cause::Segfault);
  EXPECT_EQ(told.sender, Sender::Stranger);
  EXPECT_EQ(told.sentence, "was killed by SIGSEGV, which process 77 sent");
  EXPECT_EQ(unasked(faulted(SIGSEGV, {.si_code = SI_USER, .sender_pid = 0})).sentence,
            "was killed by SIGSEGV, which a process outside of its pid namespace sent");
}

TEST(Abort, MayBeSentByAProcess) {
  const FaultSite sent{.si_code = SI_USER, .sender_pid = 77};
  const Diagnosis told = unasked(faulted(SIGABRT, sent));
  expect(told, {Cause::Abort, Detail::None, "was killed by SIGABRT, which process 77 sent",
                "did not abort itself"});
  EXPECT_EQ(told.sender, Sender::Stranger);
  const FaultSite by_tgkill{.si_code = SI_TKILL, .sender_pid = 77};
  EXPECT_EQ(unasked(faulted(SIGABRT, by_tgkill)).sender, Sender::Stranger);
}

TEST(Abort, OfItsOwnIsToldByItsCoreFile) {
  EXPECT_EQ(unasked(faulted(SIGABRT, {.si_code = SI_TKILL})).sender, Sender::Itself);
}

TEST(Cgroup, ThatIsRemovedUnderItIsTold) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.was_cgroup_removed = true;
  const Diagnosis told = unasked(evidence);
  expect(told,
         {Cause::KilledExternal, Detail::CgroupGone,
          "was killed by SIGKILL, which poolwarden did not send; its cgroup had been removed "
          "under it, so that no limit held it and nothing counted what it used, nor OOM kills",
          "who moves processes out of poolwarden's cgroups"});
  EXPECT_EQ(diagnose(evidence, {.intent = Intent::Shutdown, .kill_sent = true}).detail,
            Detail::None)
      << "it was asked to end";
}

TEST(BusError, NamesTheAddress) {
  const FaultSite fault{.si_code = BUS_ADRERR, .address = 0x5000};
  expect(unasked(faulted(SIGBUS, fault)),
         {Cause::BusError, Detail::None, "was killed by SIGBUS at address 0x5000", "/dev/shm"});
}

TEST(Abort, IsReadTogetherWithTheOutput) {
  struct Row {
    const char* output;
    Expected expected;
  };
  const Row rows[] = {
      {"",
       {Cause::Abort, Detail::None, "was killed by SIGABRT",
        "an assertion, an uncaught exception or a damaged heap"}},
      {"giving up\n",
       {Cause::Abort, Detail::None, "was killed by SIGABRT; its last words: \"giving up\"",
        "limits.core"}},
      {"t: t.cpp:6: int main(): Assertion `n==1' failed.",
       {Cause::Abort, Detail::Assertion,
        "was killed by SIGABRT because an assertion failed: t: t.cpp:6: int main(): Assertion "
        "`n==1' failed.",
        "assertion"}},
      {"double free or corruption (out)",
       {Cause::Abort, Detail::DamagedHeap,
        "was killed by SIGABRT because its heap was damaged: double free or corruption (out)",
        "valgrind"}},
      {"*** stack smashing detected ***: terminated",
       {Cause::Abort, Detail::SmashedStack,
        "was killed by SIGABRT because it wrote beyond a buffer on its stack: *** stack smashing "
        "detected ***: terminated",
        "sanitize"}},
      {"terminate called after throwing an instance of 'std::runtime_error'\n  what():  why",
       {Cause::Abort, Detail::UncaughtException,
        "was killed by SIGABRT after an uncaught exception: std::runtime_error: why", "exception"}},
      {"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc",
       {Cause::Abort, Detail::OutOfMemoryInside,
        "was killed by SIGABRT because it got no more memory: what():  std::bad_alloc",
        "limits.memory"}},
      {"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
       {Cause::Abort, Detail::OutOfMemoryInside,
        "was killed by SIGABRT because it got no more memory: FATAL ERROR: Reached heap limit "
        "Allocation failed - JavaScript heap out of memory",
        "--max-old-space-size"}},
  };
  for (const Row& row : rows) expect(unasked(left(Signaled{SIGABRT}, row.output)), row.expected);
}

TEST(Seccomp, NamesTheSystemCall) {
  EXPECT_EQ(
      unasked(left(Signaled{SIGSYS})).sentence,
      "was killed by SIGSYS; whether a seccomp filter forbade a system call, or somebody sent "
      "the signal, could not be told");
  EXPECT_EQ(unasked(faulted(SIGSYS, {.si_code = SI_USER, .sender_pid = 5})).sentence,
            "was killed by SIGSYS, which process 5 sent");
  FaultSite fault{.si_code = 1, .syscall_number = 101};
  EXPECT_THAT(unasked(faulted(SIGSYS, fault)).sentence, HasSubstr("the system call number 101"));
  fault.syscall_name = "ptrace";
  expect(unasked(faulted(SIGSYS, fault)),
         {Cause::Seccomp, Detail::None,
          "was killed by SIGSYS: a seccomp filter forbids the system call ptrace",
          "Allow ptrace in the container's seccomp profile"});
}

TEST(CpuLimit, IsToldWithItsFigure) {
  Evidence evidence = left(Signaled{SIGXCPU});
  evidence.cpu_user = 3s;
  evidence.cpu_system = 2s;
  expect(unasked(evidence), {Cause::CpuLimit, Detail::None,
                             "was killed by SIGXCPU after 5s of CPU time; that it had met its "
                             "RLIMIT_CPU was not found",
                             "look for who sends the signal"});
  EXPECT_EQ(unasked(evidence).sender, Sender::Unknown);
  evidence.status = Signaled{SIGKILL};
  EXPECT_EQ(unasked(evidence).cause, Cause::KilledExternal);
  evidence.is_over_cpu_rlimit = true;
  evidence.status = Signaled{SIGXCPU};
  expect(unasked(evidence),
         {Cause::CpuLimit, Detail::None,
          "was killed by SIGXCPU after 5s of CPU time, at its RLIMIT_CPU", "RLIMIT_CPU"});
  evidence.status = Signaled{SIGKILL};
  EXPECT_EQ(unasked(evidence).cause, Cause::CpuLimit);
  EXPECT_EQ(unasked(evidence).sender, Sender::KernelRlimit);
}

TEST(OomKill, SaysWhoseLimitWasMet) {
  struct Row {
    OomScope scope;
    Expected expected;
  };
  const Row rows[] = {
      {OomScope::OwnLimit,
       {Cause::OomKilled, Detail::OwnMemoryLimit,
        "was killed by the kernel's OOM killer at its own limit (limits.memory), with a peak of "
        "512MiB",
        "Raise limits.memory"}},
      {OomScope::Container,
       {Cause::OomKilled, Detail::ContainerMemoryLimit,
        "was killed by the kernel's OOM killer because the container or the machine had no memory "
        "left, with a peak of 512MiB",
        "container's memory limit"}},
      {OomScope::Unknown,
       {Cause::OomKilled, Detail::None,
        "was killed by the kernel's OOM killer at its own limit, the container's or the machine's: "
        "which one could not be told, with a peak of 512MiB",
        "find the leak"}},
      {OomScope::None,
       {Cause::OomKilled, Detail::None,
        "was killed by the kernel's OOM killer at its own limit, the container's or the machine's: "
        "which one could not be told, with a peak of 512MiB",
        "find the leak"}},
  };
  for (const Row& row : rows) {
    Evidence evidence = left(Signaled{SIGKILL});
    evidence.memory_peak = 512ull << 20;
    evidence.memory = {1, 0, 0, row.scope, 1};
    expect(unasked(evidence), row.expected);
    EXPECT_EQ(unasked(evidence).sender, Sender::KernelOom);
  }
}

TEST(OomKill, SaysThatTheWholeCgroupWentWithIt) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.memory = {2, 1, 1, OomScope::OwnLimit, 2};
  EXPECT_THAT(unasked(evidence).sentence, HasSubstr("and all of its cgroup with it"));
}

TEST(OomKill, OfAChildLongBeforeIsNotWhatKilledTheWorker) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.oom_kills = 1;
  evidence.memory = {1, 1, 0, OomScope::OwnLimit, 0};
  const Diagnosis told = unasked(evidence);
  expect(told, {Cause::KilledExternal, Detail::None,
                "was killed by SIGKILL, which poolwarden did not send; the kernel's OOM killer had "
                "struck 1 other process of its tree",
                "operators"});
  EXPECT_EQ(told.sender, Sender::Stranger);
}

TEST(OomKill, OfAGrandchildIsToldBesideTheWorkersOwnEnd) {
  Evidence evidence = left(Signaled{SIGABRT});
  evidence.memory = {2, 2, 0, OomScope::OwnLimit, 2};
  EXPECT_EQ(unasked(evidence).cause, Cause::Abort);
  EXPECT_EQ(unasked(evidence).sentence,
            "was killed by SIGABRT; the kernel's OOM killer had struck 2 other processes of its "
            "tree");
}

TEST(KillByAStranger, IsToldWithWhoSentItWhereThatIsKnown) {
  const FaultSite sent{.si_code = SI_USER, .sender_pid = 4};
  expect(unasked(faulted(SIGQUIT, sent)),
         {Cause::KilledExternal, Detail::None, "was killed by SIGQUIT, which process 4 sent",
          "Look for operators, scripts and watchdogs"});
  expect(unasked(faulted(SIGQUIT, {.si_code = SI_USER})),
         {Cause::KilledExternal, Detail::None,
          "was killed by SIGQUIT, which it sent itself (kill(2))", "see its output"});
}

// It may be the worker's own doing, also.
TEST(KillByAStranger, BlamesNobodyWhereNothingTellsWhoSentIt) {
  for (const int signal : {SIGKILL, SIGTERM, SIGHUP, SIGINT}) {
    const Diagnosis told = unasked(left(Signaled{signal}));
    EXPECT_EQ(told.sentence, describe(Signaled{signal}) + ", which poolwarden did not send");
    EXPECT_THAT(told.next_step, StartsWith("Look in the program itself (a master that kills its "
                                           "group, a watchdog), then for operators and scripts."));
    EXPECT_EQ(told.cause, Cause::KilledExternal);
    EXPECT_EQ(told.sender, Sender::Stranger) << "by exclusion";
  }
  EXPECT_THAT(unasked(left(Signaled{SIGKILL})).next_step, HasSubstr("OOM killer"));
  const Diagnosis debugged = diagnose(left(Signaled{SIGKILL}), {.debug_tool = "gdb"});
  EXPECT_THAT(debugged.next_step, HasSubstr("gdb, which it ran under"));
}

TEST(BrokenPipe, IsToldAsThat) {
  expect(unasked(left(Signaled{SIGPIPE})),
         {Cause::Unknown, Detail::BrokenOutput,
          "was killed by SIGPIPE: mostly a write to a pipe or connection whose reader was gone",
          "ignore SIGPIPE"});
}

TEST(Signals, HaveTheSameCauseHereAndInExplain) {
  for (int signal = 1; signal < 32; ++signal) {
    if (signal == SIGKILL) continue;  // it takes more to tell
    const Cause cause = unasked(left(Signaled{signal})).cause;
    const std::string word = cause == Cause::Unknown ? "" : std::string(name(cause));
    EXPECT_EQ(explain(signal_name(signal)).front().diagnosis, word) << signal_name(signal);
  }
}

}  // namespace
}  // namespace poolwarden::diagnosis
