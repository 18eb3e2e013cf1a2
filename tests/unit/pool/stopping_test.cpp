// Stop, shutdown, and what happens when they meet drains, starts and workers that do not listen.

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Stop, DrainsThenStopsThenIsDone) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision asked = bench.stop();
  EXPECT_EQ(drained(asked), ids({1}));
  EXPECT_EQ(std::get<DrainWorker>(asked.actions[0]).why, Intent::PoolStop);
  EXPECT_THAT(stopped(asked), IsEmpty());
  EXPECT_THAT(availabilities(asked), ElementsAre(Availability::Stopped));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopping);

  EXPECT_EQ(stopped(bench.drained(1)), ids({1}));
  const Decision end = bench.exits(1, kStoppedWell);
  EXPECT_EQ(retired(end), ids({1}));
  EXPECT_THAT(kinds(end), ElementsAre(EventKind::WorkerStopped, EventKind::PoolStopped));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Admin);
}

TEST(Stop, DoesNotWaitForRequestsLongerThanItsDrain) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  EXPECT_EQ(bench.until_next(), Duration(4s));
  EXPECT_EQ(stopped(bench.tick_after(4s)), ids({1}));
  EXPECT_TRUE(is_empty(bench.drained(1)));  // too late to matter
}

TEST(Stop, WaitsForRequestsAsLongAsItTakesWhenItsDrainIsInfinite) {
  PoolSettings settings = web();
  settings.worker.stop.drain = std::nullopt;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.stop();
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

TEST(Stop, StopsAWorkerThatIsNotReadyAtOnce) {
  Bench bench(web());
  bench.begin();
  const Decision decision = bench.stop();
  EXPECT_EQ(stopped(decision), ids({1}));
  EXPECT_THAT(drained(decision), IsEmpty());
  EXPECT_TRUE(is_empty(bench.ready(1)));  // its readiness was on the way
  EXPECT_THAT(retired(bench.exits(1, Signaled{SIGTERM})), IsEmpty());
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(Stop, StopsTheWorkersOfAPoolWithoutRoutesAtOnce) {
  PoolSettings settings = web();
  settings.routes.clear();
  Bench bench(settings);
  bench.serve(1, 1);
  EXPECT_EQ(stopped(bench.stop()), ids({1}));
}

TEST(Stop, KillsTheTreeOfAWorkerThatDoesNotListen) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  bench.drained(1);
  EXPECT_EQ(bench.until_next(), Duration(5s));
  EXPECT_TRUE(is_empty(bench.tick_after(5s - 1ms)));
  const Decision decision = bench.tick_after(1ms);
  EXPECT_EQ(killed(decision), ids({1}));
  EXPECT_TRUE(tells(decision, EventKind::WorkerStopTimeout));
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));
  const Decision end = bench.exits(1, Signaled{SIGKILL});
  ASSERT_TRUE(tells(end, EventKind::WorkerStopped));
  EXPECT_EQ(event(end, EventKind::WorkerStopped)->sentence,
            "did not stop in time (stop.timeout 5s) and was killed");
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(Stop, ThatIsCutShortNamesNoLimit) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  bench.drained(1);
  bench.kill_all();
  EXPECT_EQ(event(bench.exits(1, Signaled{SIGKILL}), EventKind::WorkerStopped)->sentence,
            "did not stop in time and was killed");
}

TEST(Stop, NeverKillsWhenItsTimeoutIsInfinite) {
  PoolSettings settings = web();
  settings.worker.stop.timeout = std::nullopt;
  Bench bench(settings);
  bench.begin();
  bench.stop();
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

TEST(Stop, IsNotAskedOfWorkersTwice) {
  Bench bench(web(2));
  bench.begin();
  bench.ready(1);
  bench.stop();
  EXPECT_TRUE(is_empty(bench.stop()));
}

TEST(Stop, TakesAwayTheWaitForAReplacement) {
  Bench bench(web());
  bench.begin();
  bench.exits(1, Exited{1});
  bench.exits(2, Exited{1});
  const Decision decision = bench.stop();
  EXPECT_EQ(bench.until_next(), std::nullopt);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::PoolStopping, EventKind::PoolStopped));
}

TEST(Stop, OfAWorkerThatIsBeingKilledForItsSlowStartOnlyWaits) {
  Bench bench(web());
  bench.begin();
  bench.tick_after(90s);
  EXPECT_THAT(stopped(bench.stop()), IsEmpty());
  const Decision end = bench.exits(1, Signaled{SIGKILL});
  EXPECT_FALSE(counts(end));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(Stop, ShortensADrainThatWouldHaveWaitedForever) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);  // the first drains without limit
  EXPECT_EQ(bench.until_next(), std::nullopt);
  EXPECT_EQ(drained(bench.stop()), ids({2}));
  EXPECT_EQ(bench.until_next(), Duration(4s));
  EXPECT_EQ(stopped(bench.tick_after(4s)), ids({1, 2}));
}

TEST(StartDuringStop, StartsNewWorkersBesideThoseThatLeave) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  const Decision decision = bench.start();
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::Open));
  EXPECT_EQ(bench.pool.state(), PoolState::Starting);
  EXPECT_EQ(bench.state_of(1), WorkerState::Draining);

  EXPECT_EQ(stopped(bench.drained(1)), ids({1}));
  const Decision end = bench.exits(1, kStoppedWell);
  EXPECT_TRUE(tells(end, EventKind::WorkerStopped));
  EXPECT_THAT(spawned(end), IsEmpty());
  EXPECT_EQ(published(bench.ready(2)), ids({2}));
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(StartDuringStop, WaitsForAWorkerThatIsBeingKilledForAFailure) {
  Bench bench(web());
  bench.begin();
  bench.tick_after(90s);
  bench.stop();
  EXPECT_THAT(spawned(bench.start()), IsEmpty());
  EXPECT_EQ(spawned(bench.exits(1, Signaled{SIGKILL})), ids({2}));
}

TEST(StartDuringStop, IsNotARestartAfterACrashWhenAWorkerOfTheLastRunCrashes) {
  PoolSettings settings = web();
  settings.start = StartMode::OnDemand;
  Bench bench(settings);
  bench.begin();
  bench.demand();
  bench.stop();
  bench.start();
  bench.exits(1, kCrash);
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(ShutDown, StopsServingWorkersAtTheNextTick) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision decision = bench.shut_down();
  EXPECT_EQ(drained(decision), ids({1}));
  EXPECT_EQ(std::get<DrainWorker>(decision.actions[0]).why, Intent::Shutdown);
  EXPECT_EQ(bench.until_next(), Duration::zero());
  EXPECT_EQ(stopped(bench.tick_after(0s)), ids({1}));
  bench.exits(1, kStoppedWell);
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_EQ(bench.pool.availability(), Availability::Stopped);
}

TEST(ShutDown, DoesNotWaitForWorkersThatDrainAlready) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.shut_down();
  EXPECT_EQ(stopped(bench.tick_after(0s)), ids({1, 2}));
}

TEST(ShutDown, AfterAStopShortensItsDrain) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  bench.shut_down();
  EXPECT_EQ(stopped(bench.tick_after(0s)), ids({1}));
}

TEST(ShutDown, IsNotSlowedDownByAStop) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.shut_down();
  bench.stop();
  EXPECT_EQ(stopped(bench.tick_after(0s)), ids({1}));
}

TEST(ShutDown, StartsNothingAnew) {
  Bench bench(web(2));
  bench.serve(1, 2);
  bench.shut_down();
  EXPECT_THAT(spawned(bench.exits(1, kCrash)), IsEmpty());
  EXPECT_TRUE(is_empty(bench.demand()));
}

TEST(ShutDown, OfAPoolWithoutWorkersIsDoneAtOnce) {
  PoolSettings settings = web();
  settings.start = StartMode::OnDemand;
  Bench bench(settings);
  bench.begin();
  bench.shut_down();
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(KillAll, KillsWhateverStillRunsOnce) {
  Bench bench(web(3));
  bench.begin();
  bench.ready(1);
  bench.shut_down();
  EXPECT_EQ(killed(bench.kill_all()), ids({1, 2, 3}));
  EXPECT_TRUE(is_empty(bench.kill_all()));
  EXPECT_EQ(bench.until_next(), std::nullopt);
  for (const std::uint64_t id : {1u, 2u, 3u})
    EXPECT_TRUE(tells(bench.exits(id, Signaled{SIGKILL}), EventKind::WorkerStopped));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
}

TEST(Holdup, NamesTheWorkersThatAreWaitedFor) {
  Bench bench(web(2));
  bench.serve(1, 2);
  EXPECT_EQ(bench.pool.holdup(bench.now), "");
  bench.pool.worker_spawned(WorkerId{1}, 4711);
  bench.stop();
  bench.drained(1);
  bench.now += 3s;
  EXPECT_THAT(bench.pool.holdup(bench.now),
              HasSubstr("worker 0 (pid 4711) has been stopping for 3s"));
  EXPECT_THAT(bench.pool.holdup(bench.now), HasSubstr("worker 1"));
}

TEST(RunningTime, IsCountedOverAllRuns) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.now += 10s;
  bench.stop();
  bench.now += 5s;
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_EQ(bench.snapshot().running_total, Duration(10s));
  EXPECT_EQ(bench.snapshot().running_since, std::nullopt);
  bench.start();
  bench.ready(2);
  bench.now += 7s;
  const PoolSnapshot shot = bench.snapshot();
  EXPECT_EQ(shot.running_total, Duration(10s));
  EXPECT_EQ(shot.running_since, WallTime{} + (bench.now - TimePoint{}) - 7s);
}

TEST(Start, DoesNotPileUpWorkersThatStillLeave) {
  Bench bench(web());
  bench.serve(1, 1);
  std::size_t alive = 1;
  for (int i = 0; i < 10; ++i) {
    bench.stop();
    alive += spawned(bench.start()).size();
  }
  EXPECT_LE(alive, 4u);
  EXPECT_EQ(spawned(bench.exits(1, Signaled{SIGTERM})).size(), 1u);  // then it goes on
}

}  // namespace
}  // namespace poolwarden::pool
