// Recycling when something goes wrong at each of its stages.

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(FailedReplacement, ThatCannotStartLeavesTheOldWorkerServing) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  const Decision decision = bench.exits(2, kNoSuchProgram);
  EXPECT_TRUE(tells(decision, EventKind::WorkerStartFailed));
  EXPECT_TRUE(tells(decision, EventKind::RecycleFailed));
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_EQ(bench.until_next(), std::nullopt);
  EXPECT_EQ(bench.progress().failed, 1u);
  EXPECT_THAT(bench.progress().last_failure, HasSubstr("No such file or directory"));
}

TEST(FailedReplacement, ThatExitsEarlyCountsNothingTowardRapidFail) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 1;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.recycle();
  EXPECT_FALSE(counts(bench.exits(2, Exited{1})));
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
}

TEST(FailedReplacement, ThatIsNeverReadyIsKilledAndLeavesTheOldWorkerServing) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  EXPECT_EQ(killed(bench.tick_after(90s)), ids({2}));
  EXPECT_TRUE(tells(bench.exits(2, Signaled{SIGKILL}), EventKind::RecycleFailed));
  EXPECT_EQ(bench.progress().failed, 1u);
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
}

TEST(FailedReplacement, EndsTheRestOfTheSameRequest) {
  Bench bench(web(3));
  bench.serve(1, 3);
  bench.recycle();
  EXPECT_THAT(spawned(bench.exits(4, Exited{1})), IsEmpty());
  EXPECT_EQ(bench.progress().failed, 3u);
  EXPECT_TRUE(bench.progress().finished());
}

TEST(FailedReplacement, LetsAnotherRequestTryAgain) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.recycle();
  EXPECT_EQ(spawned(bench.exits(2, Exited{1})), ids({3}));
  bench.ready(3);
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_EQ(bench.progress().done, 1u);
}

// It was ready, so the old worker left: nobody but a third worker can take the slot now.
TEST(FailedReplacement, ThatCrashesWhileTheOldWorkerDrainsIsAFailureAsAnyOther) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  const Decision decision = bench.exits(2, kCrash);
  EXPECT_TRUE(counts(decision));
  EXPECT_EQ(spawned(decision), ids({3}));
  EXPECT_EQ(bench.snapshot().window_failures, 1u);
  bench.exits(3, Exited{1});
  EXPECT_EQ(bench.until_next(), Duration(250ms));
}

TEST(FailedReplacement, CannotCrashForeverUncountedBehindADrainingWorker) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  for (std::uint64_t id = 2; id <= 6; ++id) {
    if (!bench.state_of(id)) bench.tick_after(10s);
    bench.ready(id);
    bench.exits(id, kCrash);
  }
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::RapidFail);
}

TEST(OldWorker, ThatDiesWhileItsReplacementStartsIsAFailureAndHasASuccessor) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_TRUE(counts(decision));
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_EQ(bench.pool.availability(), Availability::Restarting);
  bench.ready(2);
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
}

TEST(OldWorker, ThatDiesWhileItsReplacementStartsIsRecycledWhenThatServes) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  EXPECT_FALSE(tells(bench.exits(1, kCrash), EventKind::WorkerRecycled));
  EXPECT_FALSE(bench.progress().finished());
  EXPECT_TRUE(tells(bench.ready(2), EventKind::WorkerRecycled));
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(OldWorker, ThatDiesBeforeItsReplacementFailsHasNotBeenRecycled) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.exits(1, kCrash);
  const Decision decision = bench.exits(2, Exited{1});
  EXPECT_TRUE(counts(decision));
  EXPECT_FALSE(tells(decision, EventKind::RecycleFailed));  // nobody keeps serving
  EXPECT_EQ(spawned(decision), ids({3}));
  EXPECT_EQ(bench.progress().failed, 1u);
}

TEST(OldWorker, ThatDiesWhileItWaitsItsTurnHasBeenReplacedAnyway) {
  Bench bench(web(2));
  bench.serve(1, 2);
  bench.recycle();
  bench.exits(2, kCrash);  // its turn would come after the first
  bench.ready(4);
  bench.ready(3);
  bench.drained(1);
  EXPECT_THAT(spawned(bench.exits(1, kStoppedWell)), IsEmpty());
  EXPECT_EQ(bench.progress().done, 2u);
}

TEST(OldWorker, ThatCrashesWhileItDrainsIsRecycledAllTheSame) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_TRUE(tells(decision, EventKind::WorkerExited));
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_EQ(bench.progress().done, 1u);
}

// The gateway sees its connections end, and has nothing in flight any more, before its end is
// known.
TEST(OldWorker, ThatCrashedWithARequestIsAFailureThoughItWasToldToStopMeanwhile) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.cuts_a_request_short(1);
  EXPECT_EQ(stopped(bench.drained(1)), ids({1}));
  EXPECT_TRUE(counts(bench.exits(1, kCrash)));
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(OldWorker, ThatCrashesWhenItIsToldToStopIsNone) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.drained(1);
  bench.cuts_a_request_short(1);  // too late: it has been told
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_TRUE(tells(decision, EventKind::WorkerExited));
  EXPECT_FALSE(counts(decision));
}

TEST(OldWorker, ThatDoesNotStopIsKilled) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.drained(1);
  EXPECT_EQ(killed(bench.tick_after(5s)), ids({1}));
  EXPECT_FALSE(counts(bench.exits(1, Signaled{SIGKILL})));
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(Stop, EndsAllRecyclingAsFailed) {
  Bench bench(web(2));
  bench.serve(1, 2);
  bench.recycle();
  bench.stop();
  EXPECT_EQ(bench.progress().failed, 2u);
  EXPECT_THAT(bench.progress().last_failure, HasSubstr("is being stopped"));
}

TEST(Stop, ThenAStartLeavesNoTraceOfARecycleThatWasUnderWay) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.stop();
  EXPECT_EQ(spawned(bench.start()), ids({3}));
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  bench.exits(2, Signaled{SIGTERM});
  EXPECT_EQ(published(bench.ready(3)), ids({3}));
  EXPECT_EQ(bench.snapshot().workers.size(), 1u);
  EXPECT_EQ(spawned(bench.recycle()), ids({4}));
}

PoolSettings not_overlapped(std::uint32_t workers = 1) {
  PoolSettings settings = web(workers);
  settings.recycle.overlapped = false;
  return settings;
}

TEST(RecycleWithoutOverlap, HasFailedWhenTheNewWorkerDoesNotComeUp) {
  Bench bench(not_overlapped(2));
  bench.serve(1, 2);
  bench.recycle();
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  const Decision decision = bench.exits(3, Exited{1});
  EXPECT_TRUE(counts(decision));
  EXPECT_EQ(spawned(decision), ids({4}));  // the pool goes on trying, the recycle does not
  EXPECT_THAT(drained(decision), IsEmpty());
  EXPECT_EQ(bench.progress().failed, 2u);
  EXPECT_THAT(bench.progress().last_failure, HasSubstr("exited with code 1"));
}

TEST(RecycleWithoutOverlap, SurvivesACrashOfTheOldWorkerWhileItDrains) {
  Bench bench(not_overlapped());
  bench.serve(1, 1);
  bench.recycle();
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_TRUE(counts(decision));
  EXPECT_EQ(spawned(decision), ids({2}));
  bench.ready(2);
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(RecycleWithoutOverlap, WaitsForTheOldWorkerEvenOverAStopAndAStart) {
  Bench bench(not_overlapped());
  bench.serve(1, 1);
  bench.recycle();
  bench.drained(1);  // it stops now, for the recycle's sake
  bench.stop();
  EXPECT_THAT(spawned(bench.start()), IsEmpty());
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({2}));
}

TEST(Recycle, ACrashOnTheWayOutIsToldButFailsNobody) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 1;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.drained(1);
  const Decision end = bench.exits(1, Signaled{SIGSEGV});
  EXPECT_TRUE(tells(end, EventKind::WorkerExited));
  EXPECT_FALSE(tells(end, EventKind::PoolRapidFail));
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(Recycle, RefusesMoreWaitingRequestsThanAnybodyMeans) {
  Bench bench(web());
  bench.serve(1, 1);
  for (int i = 0; i < 1001; ++i) {
    ASSERT_TRUE(bench.pool.recycle(std::nullopt, RecycleReason::Manual, TimePoint())) << i;
  }
  const auto refused = bench.pool.recycle(std::nullopt, RecycleReason::Manual, TimePoint());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("--wait"));
}

}  // namespace
}  // namespace poolwarden::pool
