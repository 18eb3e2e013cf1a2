// How many workers a pool has: scaled, grown, idle, suspended, reconfigured.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

Decision scale(Bench& bench, std::uint32_t min, std::uint32_t max) {
  auto decision = bench.pool.scale({min, max}, bench.now);
  EXPECT_TRUE(decision.has_value());
  return decision ? *decision : Decision{};
}

TEST(Scale, StartsWhatIsMissing) {
  Bench bench(web(1));
  bench.serve(1, 1);
  const Decision decision = scale(bench, 3, 3);
  EXPECT_EQ(spawned(decision), ids({2, 3}));
  EXPECT_EQ(start_reason(decision), StartReason::ScaleUp);
  EXPECT_TRUE(tells(decision, EventKind::PoolScaled));
  EXPECT_EQ(bench.snapshot().workers_desired, 3u);
}

TEST(Scale, DrainsTheHighestSlots) {
  Bench bench(web(3));
  bench.serve(1, 3);
  EXPECT_EQ(drained(scale(bench, 1, 1)), ids({3, 2}));
  bench.drained(3);
  EXPECT_THAT(spawned(bench.exits(3, kStoppedWell)), IsEmpty());
}

TEST(Scale, ToNothingIsRefused) {
  Bench bench(web(1));
  bench.serve(1, 1);
  EXPECT_FALSE(bench.pool.scale({0, 0}, bench.now).has_value());
}

TEST(Scale, DownDuringARecycleLeavesNothingBehind) {
  Bench bench(web(2));
  bench.serve(1, 2);
  bench.recycle(1);  // 3 is to replace 2
  scale(bench, 1, 1);
  EXPECT_TRUE(bench.progress().finished());
  bench.exits(3, kStoppedWell);
  bench.drained(2);
  bench.exits(2, kStoppedWell);
  bench.recycle(0);
  EXPECT_EQ(drained(bench.ready(4)), ids({1}));
}

TEST(Scale, OfAStoppedPoolHoldsForItsNextStart) {
  Bench bench(web(1));
  bench.serve(1, 1);
  bench.stop();
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_TRUE(is_empty(scale(bench, 2, 2)));
  EXPECT_EQ(spawned(bench.start()).size(), 2u);
}

PoolSettings garden(std::uint32_t min, std::uint32_t max) {
  PoolSettings settings = web(min);
  settings.workers = {min, max};
  settings.concurrency = 1;
  return settings;
}

TEST(WebGarden, GrowsWhileRequestsWait) {
  Bench bench(garden(1, 3));
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(look(bench, 5, {{1, busy(1)}})));
  bench.now += kPatience;
  EXPECT_EQ(spawned(look(bench, 5, {{1, busy(1)}})), ids({2}));
  bench.now += 1s;
  EXPECT_THAT(spawned(look(bench, 5, {{1, busy(1)}})), IsEmpty()) << "one starts already";
  bench.ready(2);
  EXPECT_EQ(spawned(look(bench, 5, {{1, busy(1)}, {2, busy(1)}})), ids({3}));
}

TEST(WebGarden, ShrinksWhenNothingNeedsTheLastOne) {
  Bench bench(garden(1, 2));
  bench.serve(1, 1);
  look(bench, 5, {{1, busy(1)}});
  bench.now += kPatience;
  look(bench, 5, {{1, busy(1)}});
  bench.ready(2);
  look(bench, 0, {{1, busy(1)}, {2, busy(0)}});
  bench.now += 1min - 1ms;
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, busy(1)}, {2, busy(0)}})));
  bench.now += 1ms;
  EXPECT_EQ(drained(look(bench, 0, {{1, busy(0)}, {2, busy(1)}})), ids({2}));
  bench.drained(2);
  EXPECT_THAT(spawned(bench.exits(2, kStoppedWell)), IsEmpty());
}

PoolSettings idles(IdleAction action, std::uint32_t workers = 1) {
  PoolSettings settings = web(workers);
  settings.idle.after = 20min;
  settings.idle.action = action;
  return settings;
}

TEST(IdleWorker, IsStoppedAndNotReplacedUntilARequestComes) {
  Bench bench(idles(IdleAction::Terminate));
  bench.serve(1, 1);
  look(bench, 0, {{1, after(1)}});
  bench.now += 20min;
  const Decision decision = look(bench, 0, {{1, after(1)}});
  EXPECT_TRUE(tells(decision, EventKind::WorkerIdle));
  EXPECT_EQ(drained(decision), ids({1}));
  bench.drained(1);
  EXPECT_THAT(spawned(bench.exits(1, kStoppedWell)), IsEmpty());
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_TRUE(can_serve(bench.snapshot()));
  EXPECT_EQ(spawned(bench.demand()), ids({2}));
}

TEST(IdleWorker, IsNoneWithARequest) {
  Bench bench(idles(IdleAction::Terminate));
  bench.serve(1, 1);
  look(bench, 0, {{1, busy(1)}});
  bench.now += 1h;
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, busy(1)}})));
}

TEST(IdleWorker, LeavesSoonerWhenMemoryIsShort) {
  PoolSettings settings = idles(IdleAction::Terminate);
  settings.idle.under_pressure_percent = 50;
  Bench bench(settings);
  bench.serve(1, 1);
  Observation seen;
  seen.memory_total = 1000;
  seen.memory_used = 450;  // 90% of the threshold
  seen.workers[WorkerId{1}] = after(0);
  const Decision shortened = look(bench, seen);
  EXPECT_EQ(was_number(*event(shortened, EventKind::IdleShortened)), 5193);
  bench.now += Duration(20min) / 8;
  const Decision decision = look(bench, seen);
  EXPECT_EQ(was_number(*event(decision, EventKind::WorkerIdle)), 5195);
}

TEST(IdleWorker, IsSuspendedAndWokenByARequest) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  look(bench, 0, {{1, after(1)}});
  bench.now += 20min;
  EXPECT_EQ(drained(look(bench, 0, {{1, after(1)}})), ids({1}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Suspending);
  const Decision frozen = bench.drained(1);
  EXPECT_EQ(told_to<SuspendWorker>(frozen), ids({1}));
  EXPECT_TRUE(tells(frozen, EventKind::WorkerSuspended));
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
  EXPECT_TRUE(is_empty(bench.tick_after(10h)));
  const Decision woken = bench.demand();
  EXPECT_EQ(told_to<ResumeWorker>(woken), ids({1}));
  EXPECT_EQ(published(woken), ids({1}));
  EXPECT_THAT(spawned(woken), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
}

TEST(IdleWorker, IsTakenBackWhenARequestComesBeforeItIsFrozen) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  EXPECT_EQ(published(bench.demand()), ids({1}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_TRUE(is_empty(bench.drained(1))) << "an answer to the mark that is void";
  bench.recycle();
  bench.ready(2);
  EXPECT_TRUE(is_empty(bench.drained(1, 1))) << "nor does it answer the next one";
  EXPECT_EQ(stopped(bench.drained(1, 2)), ids({1}));
}

TEST(SuspendedWorker, IsWokenWhenThoseAwakeAreNotEnough) {
  PoolSettings settings = idles(IdleAction::Suspend, 2);
  settings.concurrency = 1;
  Bench bench(settings);
  bench.serve(1, 2);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}, {2, after(0)}});
  bench.drained(1);
  bench.drained(2);
  bench.demand();
  EXPECT_THAT(told_to<ResumeWorker>(look(bench, 0, {{1, busy(1)}})), IsEmpty());
  EXPECT_EQ(told_to<ResumeWorker>(look(bench, 50, {{1, busy(1)}})), ids({2}));
}

TEST(SuspendedWorker, IsReplacedByARecycleToo) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.drained(1);
  EXPECT_EQ(stopped(bench.recycle()), ids({1}));
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({2}));
  EXPECT_FALSE(bench.progress().finished());
  bench.ready(2);
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(Reconfigured, ReplacesASuspendedWorkerOnce) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.drained(1);
  bench.batch = bench.pool
                    .reconfigure(std::make_shared<const PoolSettings>(idles(IdleAction::Suspend)),
                                 true, bench.now)
                    .batch;
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({2}));
  EXPECT_FALSE(bench.progress().finished());
  EXPECT_THAT(spawned(bench.ready(2)), IsEmpty()) << "the new-born";
  EXPECT_EQ(bench.progress().done, 1u);
  EXPECT_EQ(bench.progress().total, 1u);
}

TEST(SuspendedWorker, IsWokenWhenAReloadSwitchesSuspensionOff) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.drained(1);
  const auto answer =
      bench.pool.reconfigure(std::make_shared<const PoolSettings>(web()), false, bench.now);
  EXPECT_EQ(told_to<ResumeWorker>(answer.decision), ids({1}));
}

TEST(Reconfigured, OneThatIsBeingSuspendedIsReplaced) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.pool.reconfigure(std::make_shared<const PoolSettings>(idles(IdleAction::Suspend)), true,
                         bench.now);
  EXPECT_EQ(stopped(bench.drained(1)), ids({1}));
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({2}));
}

TEST(Leavers, WithRequestsThatDoNotEndLeaveTheirSlotToOthers) {
  Bench bench(web(1));
  bench.serve(1, 1);
  for (std::uint64_t id = 2; id <= 4; ++id) {
    bench.recycle();
    bench.ready(id);
    bench.now += 10s;
  }
  EXPECT_EQ(spawned(bench.exits(4, kCrash)), ids({5}));
}

TEST(SuspendedWorker, IsStoppedWithItsPool) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.drained(1);
  EXPECT_EQ(stopped(bench.stop()), ids({1}));
}

TEST(SuspendedWorker, ThatCannotBeFrozenServesOn) {
  Bench bench(idles(IdleAction::Suspend));
  bench.serve(1, 1);
  bench.now += 20min;
  look(bench, 0, {{1, after(0)}});
  bench.drained(1);
  const Decision decision = bench.pool.suspend_failed(WorkerId{1}, "cannot freeze", bench.now);
  EXPECT_EQ(published(decision), ids({1}));
  EXPECT_TRUE(tells(decision, EventKind::ContainmentDegraded));
  EXPECT_TRUE(tells(look(bench, 0, {{1, after(0)}}), EventKind::WorkerIdle)) << "from now on";
}

Pool::RecycleAnswer reconfigure(Bench& bench, PoolSettings settings, bool recycle) {
  auto answer = bench.pool.reconfigure(std::make_shared<const PoolSettings>(std::move(settings)),
                                       recycle, bench.now);
  bench.batch = answer.batch;
  return answer;
}

TEST(Reconfigured, LiveTouchesNoWorker) {
  Bench bench(web(2));
  bench.serve(1, 2);
  PoolSettings settings = web(2);
  settings.recycle.after_requests = 10;
  settings.recycle.jitter_percent = 0;
  EXPECT_TRUE(is_empty(reconfigure(bench, settings, false).decision));
  EXPECT_TRUE(bench.progress().finished());
  EXPECT_THAT(recycle_reasons(look(bench, 0, {{1, after(10)}})),
              ElementsAre(RecycleReason::Requests));
}

TEST(Reconfigured, WithRecycleReplacesAllOneAfterTheOther) {
  Bench bench(web(2));
  bench.begin();
  bench.ready(1);  // the other one was started with the old settings too
  const Decision decision = reconfigure(bench, web(2), true).decision;
  EXPECT_THAT(recycle_reasons(decision), ElementsAre(RecycleReason::ConfigChange));
  EXPECT_EQ(spawned(decision), ids({3}));
  bench.ready(2);
  const Decision ready = bench.ready(3);
  ASSERT_EQ(drained(ready), ids({1}));
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({4}));
  bench.ready(4);
  bench.drained(2);
  bench.exits(2, kStoppedWell);
  EXPECT_EQ(bench.progress().done, 2u);
  EXPECT_TRUE(is_empty(look(bench, 0, {{3, after(0)}, {4, after(0)}})));
}

TEST(Reconfigured, WhoseReplacementFailsIsTriedAgain) {
  Bench bench(web(1));
  bench.serve(1, 1);
  reconfigure(bench, web(1), true);
  bench.exits(2, Exited{1});
  EXPECT_EQ(bench.progress().failed, 1u);
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(0)}})));
  bench.now += 1s;
  EXPECT_EQ(spawned(look(bench, 0, {{1, after(0)}})), ids({3}));
}

TEST(Reconfigured, KeepsAnAdministratorsScaleUnlessTheFileChangesIt) {
  Bench bench(web(1));
  bench.serve(1, 1);
  scale(bench, 3, 3);
  reconfigure(bench, web(1), false);
  EXPECT_EQ(bench.snapshot().workers_desired, 3u);
  reconfigure(bench, web(2), false);
  EXPECT_EQ(bench.snapshot().workers_desired, 2u);
}

TEST(StoppedForReload, IsNoFailureAndBeginsAgain) {
  Bench bench(web(1));
  bench.serve(1, 1);
  const Decision decision = bench.pool.stop_for_reload(bench.now);
  EXPECT_EQ(drained(decision), ids({1}));
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Config);
  EXPECT_EQ(spawned(bench.begin()), ids({2}));
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
}

}  // namespace
}  // namespace poolwarden::pool
