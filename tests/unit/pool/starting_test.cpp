// How a pool comes up: always, on demand, by hand; readiness and its time-out.

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(StartingPool, SpawnsAWorkerForEachSlot) {
  Bench bench(web(3));
  const Decision decision = bench.begin();
  EXPECT_EQ(spawned(decision), ids({1, 2, 3}));
  EXPECT_EQ(start_reason(decision), StartReason::Initial);
  EXPECT_EQ(bench.pool.state(), PoolState::Starting);
  const auto workers = bench.snapshot().workers;
  for (std::uint32_t slot = 0; slot < 3; ++slot) {
    EXPECT_EQ(workers[slot].name.slot, slot);
    EXPECT_EQ(workers[slot].name.generation, 1u);
  }
}

TEST(StartingPool, TakesRequestsFromItsBeginning) {
  Bench bench(web());
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
  EXPECT_THAT(availabilities(bench.begin()), IsEmpty());
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
}

TEST(StartingPool, HasAWorkerForEachCpuWhenItsNumberIsZero) {
  EXPECT_EQ(spawned(Bench(web(0), 4).begin()).size(), 4u);
  EXPECT_EQ(spawned(Bench(web(0), 0).begin()).size(), 1u);
  PoolSettings settings = web(0);
  settings.worker.limits.affinity = "0-1,4";
  EXPECT_EQ(spawned(Bench(settings, 8).begin()).size(), 3u);
  settings.worker.limits.affinity_each = 2;
  EXPECT_EQ(spawned(Bench(settings, 8).begin()).size(), 1u);
}

TEST(StartingPool, SharesNoIdWithAnotherPool) {
  const auto settings = std::make_shared<const PoolSettings>(web(2));
  PoolSurroundings around;
  around.ids = std::make_shared<WorkerIds>();
  Pool first(settings, around);
  Pool second(settings, around);
  EXPECT_EQ(spawned(first.begin(TimePoint{})), ids({1, 2}));
  EXPECT_EQ(spawned(second.begin(TimePoint{})), ids({3, 4}));
}

TEST(StartingPool, RunsAsSoonAsOneWorkerServes) {
  Bench bench(web(2));
  bench.begin();
  bench.now += 300ms;
  const Decision decision = bench.ready(2);
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_EQ(published(decision), ids({2}));
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerReady, EventKind::PoolRunning));
  EXPECT_EQ(std::get<ReadyDetails>(decision.events[0].details).startup, Duration(300ms));
  EXPECT_THAT(kinds(bench.ready(1)), ElementsAre(EventKind::WorkerReady));
}

TEST(StartingPool, PublishesNoWorkerOfAPoolWithoutRoutes) {
  PoolSettings settings = web();
  settings.routes.clear();
  Bench bench(settings);
  bench.begin();
  EXPECT_THAT(published(bench.ready(1)), IsEmpty());
  EXPECT_FALSE(bench.pool.is_published(WorkerId{1}));
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(StartingPool, PublishesAWorkerOnceHoweverOftenItSaysThatItIsReady) {
  Bench bench(web());
  bench.begin();
  EXPECT_EQ(published(bench.ready(1)), ids({1}));
  EXPECT_TRUE(is_empty(bench.ready(1)));
}

TEST(StartingPool, KnowsTheProcessOfAWorker) {
  Bench bench(web());
  bench.begin();
  const Decision decision = bench.pool.worker_spawned(WorkerId{1}, 4711);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerSpawned));
  EXPECT_EQ(decision.events[0].worker->pid, 4711);
  EXPECT_EQ(bench.snapshot().workers[0].name.pid, 4711);
}

TEST(StartingPool, TellsWhatAWorkerSaysOfItselfWhenItChanges) {
  Bench bench(web());
  bench.begin();
  EXPECT_TRUE(tells(bench.pool.worker_status(WorkerId{1}, "warming up"), EventKind::WorkerStatus));
  EXPECT_TRUE(is_empty(bench.pool.worker_status(WorkerId{1}, "warming up")));
  EXPECT_EQ(bench.snapshot().workers[0].status_text, "warming up");
}

TEST(StartingPool, IgnoresAStartWhileItIsWanted) {
  Bench bench(web());
  bench.begin();
  EXPECT_TRUE(is_empty(bench.start()));
  bench.ready(1);
  EXPECT_TRUE(is_empty(bench.start()));
}

TEST(StartupTimeout, KillsAWorkerThatIsNotReadyInTimeAndCountsItsEnd) {
  Bench bench(web());
  bench.begin();
  EXPECT_EQ(bench.until_next(), Duration(90s));
  EXPECT_TRUE(is_empty(bench.tick_after(90s - 1ms)));
  const Decision decision = bench.tick_after(1ms);
  EXPECT_EQ(killed(decision), ids({1}));
  EXPECT_TRUE(tells(decision, EventKind::WorkerStartupTimeout));

  const Decision end = bench.exits(1, Signaled{SIGKILL});
  EXPECT_TRUE(tells(end, EventKind::WorkerStartFailed));
  EXPECT_TRUE(counts(end));
  EXPECT_EQ(start_failure(end), StartFailure::StartupTimeout);
  EXPECT_EQ(spawned(end), ids({2}));
}

TEST(StartupTimeout, LeavesAReadyWorkerAlone) {
  Bench bench(web());
  bench.begin();
  bench.now += 89s;
  bench.ready(1);
  EXPECT_EQ(bench.until_next(), std::nullopt);
  EXPECT_TRUE(is_empty(bench.tick_after(2s)));
}

TEST(StartupTimeout, GivesTheSlotToNobodyElseBeforeTheWorkerIsDead) {
  Bench bench(web());
  bench.begin();
  bench.tick_after(90s);
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));
  EXPECT_TRUE(is_empty(bench.ready(1)));
}

TEST(StartupTimeout, IsOffWhenItIsInfinite) {
  PoolSettings settings = web();
  settings.worker.ready.timeout = std::nullopt;
  Bench bench(settings);
  bench.begin();
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

TEST(ManualPool, WaitsForAnAdministrator) {
  PoolSettings settings = web();
  settings.start = StartMode::Manual;
  Bench bench(settings);
  EXPECT_TRUE(is_empty(bench.begin()));  // stopped before and after
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Admin);
  EXPECT_EQ(bench.pool.availability(), Availability::Stopped);
  EXPECT_TRUE(is_empty(bench.demand()));

  const Decision decision = bench.start();
  EXPECT_EQ(spawned(decision), ids({1}));
  EXPECT_EQ(start_reason(decision), StartReason::Manual);
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::Open));
  EXPECT_FALSE(tells(decision, EventKind::PoolEnabled));  // nothing had gone wrong
}

PoolSettings on_demand() {
  PoolSettings settings = web(2);
  settings.start = StartMode::OnDemand;
  return settings;
}

TEST(OnDemandPool, RunsWithoutWorkersUntilItIsAskedFor) {
  Bench bench(on_demand());
  const Decision decision = bench.begin();
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_EQ(bench.snapshot().workers_desired, 0u);
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

// The gateway is told of a pool before that begins, and may have requests at once.
TEST(OnDemandPool, IsOpenBeforeItHasBegun) {
  EXPECT_EQ(Bench(on_demand()).pool.availability(), Availability::Open);
}

TEST(OnDemandPool, StartsItsWorkersAtTheFirstDemandOnly) {
  Bench bench(on_demand());
  bench.begin();
  const Decision decision = bench.demand();
  EXPECT_EQ(spawned(decision), ids({1, 2}));
  EXPECT_EQ(start_reason(decision), StartReason::Demand);
  EXPECT_EQ(bench.pool.state(), PoolState::Starting);
  EXPECT_EQ(bench.snapshot().workers_desired, 2u);
  EXPECT_TRUE(is_empty(bench.demand()));
}

TEST(OnDemandPool, ReplacesACrashedWorkerWithoutAnotherDemand) {
  Bench bench(on_demand());
  bench.begin();
  bench.demand();
  bench.ready(1);
  bench.ready(2);
  EXPECT_EQ(spawned(bench.exits(1, kCrash)), ids({3}));
}

TEST(OnDemandPool, WaitsForDemandAgainAfterAStop) {
  Bench bench(on_demand());
  bench.begin();
  bench.demand();
  bench.stop();
  bench.exits(1, kStoppedWell);
  bench.exits(2, kStoppedWell);
  EXPECT_TRUE(is_empty(bench.demand()));  // stopped is stopped
  EXPECT_THAT(spawned(bench.start()), IsEmpty());
  EXPECT_EQ(spawned(bench.demand()), ids({3, 4}));
}

TEST(Demand, IsNothingNewToAPoolThatAlwaysRuns) {
  Bench bench(web());
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.demand()));
}

}  // namespace
}  // namespace poolwarden::pool
