// What an end is put down to: the status alone, then the status beside what was asked.

#include "diagnosis/diagnosis.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <set>
#include <vector>

#include "unit/diagnosis/deaths.h"

namespace poolwarden::diagnosis {
namespace {

constexpr Intent kIntents[] = {Intent::None,           Intent::Recycle,     Intent::PoolStop,
                               Intent::Shutdown,       Intent::ScaleDown,   Intent::IdleTimeout,
                               Intent::StartupTimeout, Intent::PingTimeout, Intent::RequestTimeout};
constexpr Intent kAskedToEnd[] = {Intent::Recycle, Intent::PoolStop, Intent::Shutdown,
                                  Intent::ScaleDown, Intent::IdleTimeout};

struct Row {
  ExitStatus status;
  std::string output;
  Cause cause;
};

TEST(Diagnosis, NamesTheCauseOfAnEndThatNobodyAskedFor) {
  const std::vector<Row> rows = {
      {Exited{0}, "", Cause::ExitZero},
      {Exited{1}, "", Cause::ExitNonzero},
      {Exited{42}, "Traceback", Cause::ExitNonzero},
      {Exited{78}, "", Cause::ConfigError},
      {Exited{126}, "sh: 1: /srv/app: Permission denied", Cause::ExecNotExecutable},
      {Exited{127}, "sh: 1: gunicorn: not found", Cause::ExitNonzero},
      {Exited{127}, "app: error while loading shared libraries: libx.so.1", Cause::LoaderFailed},
      {Exited{127}, "app: symbol lookup error: app: undefined symbol: x", Cause::LoaderFailed},
      {Exited{1}, "error while loading shared libraries", Cause::ExitNonzero},
      {Exited{255}, "", Cause::Exit255},
      {Exited{1}, "OSError: [Errno 98] Address already in use", Cause::PortInUse},
      {Exited{1}, "Error: listen EADDRINUSE: address already in use :::80", Cause::PortInUse},
      {Exited{0}, "Address already in use", Cause::ExitZero},
      {Signaled{SIGSEGV}, "", Cause::Segfault},
      {Signaled{SIGBUS}, "", Cause::BusError},
      {Signaled{SIGABRT}, "", Cause::Abort},
      {Signaled{SIGILL}, "", Cause::IllegalInstruction},
      {Signaled{SIGFPE}, "", Cause::Arithmetic},
      {Signaled{SIGSYS}, "", Cause::Seccomp},
      {Signaled{SIGXCPU}, "", Cause::CpuLimit},
      {Signaled{SIGXFSZ}, "", Cause::FileSizeLimit},
      {Signaled{SIGKILL}, "", Cause::KilledExternal},
      {Signaled{SIGTERM}, "", Cause::KilledExternal},
      {NotStarted{SpawnStage::Exec, ENOENT, "app"}, "", Cause::ExecFailed},
      {NotStarted{SpawnStage::Clone, EAGAIN, ""}, "", Cause::ExecFailed},
  };
  for (const Row& row : rows) {
    const Diagnosis why = unasked(left(row.status, row.output));
    EXPECT_EQ(name(why.cause), name(row.cause)) << describe(row.status) << " " << row.output;
    EXPECT_FALSE(why.expected) << describe(row.status);
    EXPECT_FALSE(why.sentence.empty()) << describe(row.status);
    EXPECT_FALSE(why.next_step.empty()) << describe(row.status);
  }
}

TEST(Diagnosis, BlamesTheOomKillerOnlyForAKillInACgroupWhereItStruck) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.oom_kills = 1;
  EXPECT_EQ(unasked(evidence).cause, Cause::KilledExternal) << "it struck another, long before";
  evidence.memory.recent_oom_kills = 1;
  EXPECT_EQ(unasked(evidence).cause, Cause::OomKilled);
  evidence.status = Signaled{SIGTERM};
  EXPECT_EQ(unasked(evidence).cause, Cause::KilledExternal);
  evidence.status = Exited{1};
  EXPECT_EQ(unasked(evidence).cause, Cause::ExitNonzero);
}

TEST(Diagnosis, SaysThatAnExitWithCodeZeroWasNotAskedFor) {
  EXPECT_EQ(unasked(left(Exited{0})).sentence,
            "exited with code 0 without having been asked to stop");
}

TEST(Diagnosis, TakesAnEndThatWasAskedForAsExpected) {
  for (const Intent intent : kAskedToEnd) {
    for (const ExitStatus& status : {ExitStatus(Exited{0}), ExitStatus(Exited{1}),
                                     ExitStatus(Exited{143}), ExitStatus(Signaled{SIGTERM})}) {
      const Diagnosis why = diagnose(left(status), {intent, true, false});
      EXPECT_TRUE(why.expected) << name(intent) << " " << describe(status);
      EXPECT_EQ(why.sentence, "stopped as asked: " + describe(status));
      EXPECT_TRUE(why.next_step.empty());
    }
  }
}

TEST(Diagnosis, SaysWhoSentTheSignalThatAWorkerWasAskedToEndWith) {
  const Diagnosis why = diagnose(left(Signaled{SIGTERM}), {Intent::Recycle, true, false});
  EXPECT_EQ(why.cause, Cause::KilledBySupervisor);
}

TEST(Diagnosis, SaysThatAWorkerWasKilledBecauseItDidNotStopInTime) {
  const Diagnosis why = diagnose(left(Signaled{SIGKILL}), {Intent::PoolStop, true, true});
  EXPECT_EQ(why.cause, Cause::KilledBySupervisor);
  EXPECT_TRUE(why.expected);
  EXPECT_EQ(why.sentence, "did not stop in time and was killed");
}

TEST(Diagnosis, SaysHowLongAWorkerHadToStopAndWhatItDid) {
  Evidence evidence = left(Signaled{SIGKILL});
  evidence.threads = {{9, 'S', "", "futex_wait_queue", {}}};
  Circumstances circumstances = {Intent::PoolStop, true, true};
  circumstances.limit = std::chrono::seconds(5);
  EXPECT_EQ(diagnose(evidence, circumstances).sentence,
            "did not stop in time (stop.timeout 5s) and was killed; its only thread waits in "
            "futex_wait_queue");
}

TEST(Diagnosis, TellsAStrangersKillFromOursWhileAWorkerStops) {
  const Diagnosis why = diagnose(left(Signaled{SIGKILL}), {Intent::PoolStop, true, false});
  EXPECT_EQ(why.cause, Cause::KilledExternal);
  EXPECT_TRUE(why.expected);
  EXPECT_EQ(why.sentence,
            "ended while it was stopping: was killed by SIGKILL, which poolwarden did not send");
}

TEST(Diagnosis, FindsADefectEvenInAWorkerThatWasAskedToEnd) {
  for (const Intent intent : kAskedToEnd) {
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS}) {
      const Diagnosis why = diagnose(left(Signaled{signal}), {intent, true, false});
      EXPECT_FALSE(why.expected) << name(intent) << " " << signal_name(signal);
      EXPECT_NE(why.cause, Cause::KilledBySupervisor);
    }
  }
}

TEST(Diagnosis, PutsAnEndDownToTheTimeoutThatLedToIt) {
  const std::pair<Intent, Cause> rows[] = {{Intent::StartupTimeout, Cause::StartupTimeout},
                                           {Intent::PingTimeout, Cause::PingTimeout},
                                           {Intent::RequestTimeout, Cause::RequestTimeout}};
  for (const auto& [intent, cause] : rows) {
    const Diagnosis why = diagnose(left(Signaled{SIGKILL}), {intent, false, true});
    EXPECT_EQ(why.cause, cause);
    EXPECT_FALSE(why.expected);
    EXPECT_FALSE(why.incurable);
    EXPECT_FALSE(why.sentence.empty());
  }
}

TEST(Diagnosis, ANotStartedWorkerIsToldAsThatWhateverWasAsked) {
  for (const Intent intent : kIntents) {
    const Diagnosis why =
        diagnose(left(NotStarted{SpawnStage::Exec, ENOENT, "app"}), {intent, false, false});
    EXPECT_EQ(why.cause, Cause::ExecFailed) << name(intent);
    EXPECT_FALSE(why.expected) << name(intent);
  }
}

TEST(Diagnosis, KnowsWhichStartFailuresTryingAgainCannotHeal) {
  for (const int error : {ENOENT, EACCES, EPERM, ENOEXEC, ENOTDIR, EISDIR, ELOOP, 0}) {
    EXPECT_TRUE(unasked(left(NotStarted{SpawnStage::Exec, error, "app"})).incurable) << error;
  }
  for (const int error :
       {EAGAIN,     ENOMEM,   EMFILE,    ENFILE,    ETXTBSY,      EBUSY,     ENOSPC,
        EADDRINUSE, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, EREMOTEIO, ESRCH,
        ESTALE,     EIO,      ENXIO,     EINTR,     EDQUOT,       4711}) {
    EXPECT_FALSE(unasked(left(NotStarted{SpawnStage::Exec, error, "app"})).incurable) << error;
  }
}

TEST(Diagnosis, NothingThatRanIsIncurable) {
  for (int code = 0; code < 256; ++code)
    EXPECT_FALSE(unasked(left(Exited{code}, "error while loading shared libraries")).incurable);
}

TEST(Diagnosis, NamesThePoolInACommandOfItsNextStep) {
  const Evidence evidence =
      left(Exited{127}, "app: error while loading shared libraries: libx.so.1: cannot open");
  Circumstances circumstances;
  EXPECT_NE(diagnose(evidence, circumstances).next_step.find("debug POOL --"), std::string::npos);
  circumstances.pool = "web";
  EXPECT_NE(
      diagnose(evidence, circumstances).next_step.find("`poolwarden debug web --with loader`"),
      std::string::npos);
}

TEST(Intent, ExplainsAnEndUnlessItIsATimeout) {
  const std::set<Intent> asked(std::begin(kAskedToEnd), std::end(kAskedToEnd));
  for (const Intent intent : kIntents)
    EXPECT_EQ(is_expected(intent), asked.contains(intent)) << name(intent);
}

TEST(Words, EachCauseAndIntentHasOneOfItsOwn) {
  std::set<std::string_view> causes;
  for (int cause = 0; cause < kCauses; ++cause) causes.insert(name(static_cast<Cause>(cause)));
  EXPECT_EQ(causes.size(), static_cast<std::size_t>(kCauses));
  std::set<std::string_view> intents;
  for (const Intent intent : kIntents) intents.insert(name(intent));
  EXPECT_EQ(intents.size(), std::size(kIntents));
}

}  // namespace
}  // namespace poolwarden::diagnosis
