// Unexpected ends: replaced at once at first, then with growing delays; starts that cannot heal.

#include "pool/backoff.h"
#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PoolSettings unprotected(std::uint32_t workers = 1) {
  PoolSettings settings = web(workers);
  settings.rapid_fail.failures = std::nullopt;
  return settings;
}

TEST(CrashedWorker, IsRetiredToldAndReplacedAtOnce) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.now += 20s;
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_EQ(retired(decision), ids({1}));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_EQ(start_reason(decision), StartReason::Replace);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerExited, EventKind::WorkerStarting,
                                           EventKind::PoolStarting));
  EXPECT_EQ(bench.snapshot().workers[0].name.generation, 2u);
}

TEST(CrashedWorker, LeavesACertificate) {
  Bench bench(web());
  bench.begin();
  bench.pool.worker_spawned(WorkerId{1}, 4711);
  bench.ready(1);
  bench.now += 20s;
  const Decision decision = bench.exits(1, kCrash);
  const auto certificate = std::get<ExitDetails>(decision.events[0].details).certificate;
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(certificate->pool, "web");
  EXPECT_EQ(certificate->slot, 0u);
  EXPECT_EQ(certificate->generation, 1u);
  EXPECT_EQ(certificate->pid, 4711);
  EXPECT_EQ(certificate->uptime, Duration(20s));
  EXPECT_TRUE(certificate->was_ready);
  EXPECT_EQ(certificate->diagnosis.cause, diagnosis::Cause::Segfault);
  EXPECT_EQ(bench.snapshot().last_certificate, certificate);
}

TEST(CrashedWorker, ThatServedAloneLetsOnlyFewRequestsWait) {
  Bench bench(web());
  bench.serve(1, 1);
  EXPECT_THAT(availabilities(bench.exits(1, kCrash)), ElementsAre(Availability::Restarting));
  EXPECT_THAT(availabilities(bench.ready(2)), ElementsAre(Availability::Open));
}

TEST(CrashedWorker, ThatHasServingSiblingsChangesNothingForRequests) {
  Bench bench(web(2));
  bench.serve(1, 2);
  EXPECT_THAT(availabilities(bench.exits(1, kCrash)), IsEmpty());
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(UnaskedExit, IsAFailureEvenWithCodeZero) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision decision = bench.exits(1, Exited{0});
  EXPECT_TRUE(tells(decision, EventKind::WorkerExited));
  EXPECT_TRUE(counts(decision));
}

TEST(BackOff, GrowsWithEachFailureInARow) {
  Bench bench(unprotected());
  bench.begin();
  EXPECT_EQ(spawned(bench.exits(1, Exited{1})), ids({2}));
  const Duration delays[] = {250ms, 500ms, 1s, 2s, 4s, 8s, 10s, 10s};
  std::uint64_t id = 2;
  for (const Duration delay : delays) {
    EXPECT_THAT(spawned(bench.exits(id, Exited{1})), IsEmpty());
    EXPECT_EQ(bench.until_next(), delay);
    EXPECT_THAT(spawned(bench.tick_after(delay - 1ns)), IsEmpty());
    EXPECT_EQ(spawned(bench.tick_after(1ns)), ids({++id}));
  }
}

TEST(BackOff, BeginsAnewAfterAWorkerThatWasHealthy) {
  Bench bench(unprotected());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.exits(2, Exited{1});
  bench.tick_after(250ms);
  bench.ready(3);
  bench.now += kHealthyAfter;
  EXPECT_EQ(spawned(bench.exits(3, kCrash)), ids({4}));
  bench.exits(4, kCrash);
  EXPECT_EQ(bench.until_next(), Duration(250ms));
}

TEST(BackOff, GoesOnAfterAWorkerThatServedBriefly) {
  Bench bench(unprotected());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.ready(2);
  bench.now += kHealthyAfter - 1ms;
  EXPECT_THAT(spawned(bench.exits(2, kCrash)), IsEmpty());
  EXPECT_EQ(bench.until_next(), Duration(250ms));
}

TEST(BackOff, DoesNotCountTheTimeBeforeAWorkerWasReadyAsHealthy) {
  Bench bench(unprotected());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.now += 60s;
  bench.ready(2);
  EXPECT_THAT(spawned(bench.exits(2, kCrash)), IsEmpty());
}

TEST(BackOff, IsEachSlotsOwn) {
  Bench bench(unprotected(2));
  bench.begin();
  bench.exits(1, Exited{1});
  bench.exits(3, Exited{1});                                // slot 0 again: it waits
  EXPECT_EQ(spawned(bench.exits(2, Exited{1})), ids({4}));  // slot 1 does not
  EXPECT_EQ(bench.snapshot().workers[0].name.slot, 1u);
}

TEST(BackOff, IsShownInTheSnapshot) {
  Bench bench(unprotected());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.exits(2, Exited{1});
  const PoolSnapshot shot = bench.snapshot();
  EXPECT_EQ(shot.backoff, Duration(250ms));
  EXPECT_EQ(shot.next_start, WallTime{} + (bench.now - TimePoint{}) + 250ms);
}

TEST(BackOff, IsOverWhenTheTickIsLate) {
  Bench bench(unprotected());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.exits(2, Exited{1});
  EXPECT_EQ(spawned(bench.tick_after(1h)), ids({3}));
  EXPECT_TRUE(is_empty(bench.tick_after(0s)));
}

struct StartRow {
  diagnosis::ExitStatus status;
  StartFailure reason;
};

TEST(FailedStart, IsToldWithItsReason) {
  const StartRow rows[] = {
      {NotStarted{SpawnStage::Clone, EAGAIN, ""}, StartFailure::Spawn},
      {NotStarted{SpawnStage::Session, EPERM, ""}, StartFailure::Spawn},
      {NotStarted{SpawnStage::Stdio, EMFILE, ""}, StartFailure::Spawn},
      {NotStarted{SpawnStage::Cgroup, EBUSY, ""}, StartFailure::Cgroup},
      {NotStarted{SpawnStage::Limits, EPERM, ""}, StartFailure::Limits},
      {NotStarted{SpawnStage::Identity, EPERM, ""}, StartFailure::Identity},
      {NotStarted{SpawnStage::Directory, ENOENT, ""}, StartFailure::Chdir},
      {NotStarted{SpawnStage::Exec, ENOENT, ""}, StartFailure::ExecNotFound},
      {NotStarted{SpawnStage::Exec, EACCES, ""}, StartFailure::ExecPermission},
      {NotStarted{SpawnStage::Exec, EPERM, ""}, StartFailure::ExecPermission},
      {NotStarted{SpawnStage::Exec, ENOEXEC, ""}, StartFailure::Spawn},
      {Exited{1}, StartFailure::ExitedEarly},
      {Signaled{SIGSEGV}, StartFailure::ExitedEarly},
  };
  for (const StartRow& row : rows) {
    Bench bench(web());
    bench.begin();
    const Decision decision = bench.exits(1, row.status);
    EXPECT_TRUE(tells(decision, EventKind::WorkerStartFailed)) << describe(row.status);
    EXPECT_EQ(start_failure(decision), row.reason) << describe(row.status);
  }
}

TEST(FailedStart, IsPutDownToTheLoaderOrThePortByItsOutput) {
  const std::pair<const char*, StartFailure> rows[] = {
      {"error while loading shared libraries: libx.so", StartFailure::Loader},
      {"Address already in use", StartFailure::PortInUse}};
  for (const auto& [output, reason] : rows) {
    Bench bench(web());
    bench.begin();
    diagnosis::Evidence evidence = ended(Exited{127});
    evidence.last_output = output;
    const Decision decision = bench.pool.worker_exited(WorkerId{1}, evidence, bench.now, {});
    EXPECT_EQ(start_failure(decision), reason) << output;
  }
}

TEST(FailedStart, IsPutDownToTheProtocolWhereTheAnswerWasNoHttp) {
  Bench bench(web());
  bench.begin();
  bench.tick_after(90s);  // ready.timeout
  diagnosis::Evidence evidence = ended(Signaled{SIGKILL});
  EXPECT_EQ(start_failure(bench.pool.worker_exited(WorkerId{1}, evidence, bench.now, {})),
            StartFailure::StartupTimeout);
  Bench other(web());
  other.begin();
  other.tick_after(90s);
  evidence.protocol_breach = "SSH-2.0-x";
  EXPECT_EQ(start_failure(other.pool.worker_exited(WorkerId{1}, evidence, other.now, {})),
            StartFailure::Protocol);
}

TEST(StartupTimeout, IsToldWithWhatItWaitedForAndHowLong) {
  pool::PoolSettings settings = web();
  settings.worker.ready = {worker::WhenNotify{}, 30s};
  Bench bench(settings);
  bench.begin();
  bench.tick_after(30s);
  const Decision decision =
      bench.pool.worker_exited(WorkerId{1}, ended(Signaled{SIGKILL}), bench.now, {});
  const Event* told = event(decision, EventKind::WorkerStartFailed);
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->sentence,
            "was not ready within ready.timeout (30s) and was killed: it never sent READY=1 to "
            "$NOTIFY_SOCKET");
  EXPECT_EQ(was_number(*told), 2281);
}

TEST(StartupTimeout, UnderADebuggerIsToldWithTheLimitOfThatStart) {
  Bench bench(web());
  bench.serve(1, 1);
  ASSERT_TRUE(bench.pool.debug({"strace", {"strace"}, {}, 10}, std::nullopt, bench.now));
  const Decision late = bench.tick_after(15min);
  ASSERT_EQ(killed(late), ids({2}));
  EXPECT_THAT(event(bench.exits(2, Signaled{SIGKILL}), EventKind::WorkerStartFailed)->sentence,
              HasSubstr("was not ready under strace within 15m and was killed"));
}

TEST(DrilledWorker, IsToldAsThatUntilTheDrillIsOver) {
  const auto end_of = [](Bench& bench) {
    return std::get<ExitDetails>(bench.exits(1, kCrash).events[0].details).certificate->diagnosis;
  };
  Bench bench(web());
  bench.serve(1, 1);
  bench.pool.drilled(WorkerId{1}, "segv");
  EXPECT_EQ(end_of(bench).detail, diagnosis::Detail::Drilled);
  Bench other(web());
  other.serve(1, 1);
  other.pool.drilled(WorkerId{1}, "segv");
  other.pool.drilled(WorkerId{1}, "");
  EXPECT_EQ(end_of(other).detail, diagnosis::Detail::None);
}

TEST(IncurableStart, SaysByItsNumberWhetherTheIdentityIsToBlame) {
  for (const auto& [stage, number] :
       {std::pair(SpawnStage::Identity, 5057), std::pair(SpawnStage::Exec, 5059)}) {
    Bench bench(web());
    bench.begin();
    const Decision decision = bench.exits(1, NotStarted{stage, 0, "nothing"});
    const Event* told = event(decision, EventKind::PoolStartFailure);
    ASSERT_NE(told, nullptr);
    EXPECT_EQ(was_number(*told), number);
  }
}

TEST(IncurableStart, DisablesThePoolAtOnce) {
  Bench bench(web(2));
  bench.begin();
  const Decision decision = bench.exits(1, kNoSuchProgram);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::StartFailure);
  EXPECT_THAT(bench.pool.disabled_because(), HasSubstr("No such file or directory"));
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::StartFailure));
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_EQ(stopped(decision), ids({2}));
  const Event* told = event(decision, EventKind::PoolStartFailure);
  ASSERT_NE(told, nullptr);
  EXPECT_THAT(told->sentence, HasSubstr("Correct the pool's command"));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopping);
  bench.exits(2, kNoSuchProgram);
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(IncurableStart, BlamesTheIdentityWhereThatIsWhatFailed) {
  Bench bench(web());
  bench.begin();
  bench.exits(1, NotStarted{SpawnStage::Identity, 0, "there is no user \"www\""});
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Identity);
  EXPECT_EQ(bench.pool.availability(), Availability::StartFailure);
}

TEST(IncurableStart, IsTriedAgainWhileSiblingsServe) {
  Bench bench(web(2));
  bench.serve(1, 2);
  bench.exits(1, kCrash);  // the program is replaced by an administrator just now
  const Decision decision = bench.exits(3, kNoSuchProgram);
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_TRUE(counts(decision));
  EXPECT_EQ(bench.until_next(), Duration(250ms));
}

TEST(IncurableStart, IsOverWhenThePoolIsStartedAgain) {
  Bench bench(web());
  bench.begin();
  bench.exits(1, kNoSuchProgram);
  const Decision decision = bench.start();
  EXPECT_TRUE(tells(decision, EventKind::PoolEnabled));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::Open));
}

TEST(CurableStart, IsTriedAgain) {
  Bench bench(web());
  bench.begin();
  const Decision decision = bench.exits(1, NotStarted{SpawnStage::Clone, EAGAIN, ""});
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_EQ(spawned(decision), ids({2}));
}

TEST(LateAnswers, AboutAWorkerThatIsGoneAreIgnored) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  EXPECT_TRUE(is_empty(bench.ready(1)));
  EXPECT_TRUE(is_empty(bench.drained(1)));
  EXPECT_TRUE(is_empty(bench.exits(1, kCrash)));
  EXPECT_TRUE(is_empty(bench.pool.worker_spawned(WorkerId{1}, 4711)));
  EXPECT_TRUE(is_empty(bench.pool.worker_status(WorkerId{1}, "late")));
  EXPECT_TRUE(is_empty(bench.ready(999)));
}

TEST(DrainedAnswer, ThatNobodyAskedForIsIgnored) {
  Bench bench(web());
  bench.begin();
  EXPECT_TRUE(is_empty(bench.drained(1)));
  bench.ready(1);
  EXPECT_TRUE(is_empty(bench.drained(1)));
}

TEST(Ticks, OfAPoolThatWaitsForNothingDoNothing) {
  Bench bench(web(2));
  bench.serve(1, 2);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(is_empty(bench.tick_after(1h)));
}

}  // namespace
}  // namespace poolwarden::pool
