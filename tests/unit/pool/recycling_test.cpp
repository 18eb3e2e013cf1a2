// Recycling when all goes well: overlapped or not, a few at a time, asked for twice.

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PoolSettings not_overlapped(std::uint32_t workers = 1) {
  PoolSettings settings = web(workers);
  settings.recycle.overlapped = false;
  return settings;
}

TEST(Recycle, KeepsTheOldWorkerServingUntilTheNewOneIsReady) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision begun = bench.recycle();
  EXPECT_EQ(spawned(begun), ids({2}));
  EXPECT_EQ(start_reason(begun), StartReason::Recycle);
  EXPECT_THAT(drained(begun), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);

  const Decision ready = bench.ready(2);
  EXPECT_EQ(published(ready), ids({2}));
  EXPECT_EQ(drained(ready), ids({1}));
  EXPECT_EQ(std::get<DrainWorker>(ready.actions[1]).why, Intent::Recycle);  // after the publishing
  EXPECT_EQ(bench.until_next(), std::nullopt);  // it waits for requests as long as it takes

  EXPECT_EQ(stopped(bench.drained(1)), ids({1}));
  EXPECT_FALSE(bench.progress().finished());
  const Decision end = bench.exits(1, Signaled{SIGTERM});
  EXPECT_EQ(retired(end), ids({1}));
  EXPECT_TRUE(tells(end, EventKind::WorkerStopped));
  EXPECT_TRUE(tells(end, EventKind::WorkerRecycled));
  EXPECT_THAT(spawned(end), IsEmpty());
  EXPECT_EQ(bench.progress().done, 1u);
  EXPECT_TRUE(bench.progress().finished());
}

TEST(Recycle, NeverChangesWhatThePoolIsToOthers) {
  Bench bench(web());
  bench.serve(1, 1);
  for (const Decision& decision :
       {bench.recycle(), bench.ready(2), bench.drained(1), bench.exits(1, kStoppedWell)}) {
    EXPECT_THAT(availabilities(decision), IsEmpty());
    EXPECT_FALSE(tells(decision, EventKind::PoolStarting));
  }
  EXPECT_EQ(bench.pool.state(), PoolState::Running);
}

TEST(Recycle, TellsItsReasonAndHowLongItTook) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision begun = bench.recycle(std::nullopt, RecycleReason::Memory);
  const Event* why = event(begun, EventKind::WorkerRecycling);
  ASSERT_NE(why, nullptr);
  EXPECT_EQ(std::get<RecycleDetails>(why->details).reason, RecycleReason::Memory);
  EXPECT_EQ(why->worker->id, WorkerId{1});
  bench.ready(2);
  bench.drained(1);
  bench.now += 3s;
  const Decision end = bench.exits(1, kStoppedWell);
  EXPECT_EQ(std::get<RecycledDetails>(event(end, EventKind::WorkerRecycled)->details).took,
            Duration(3s));
}

TEST(Recycle, OfAPoolWithoutRoutesStopsTheOldWorkerWhenTheNewOneIsReady) {
  PoolSettings settings = web();
  settings.routes.clear();
  Bench bench(settings);
  bench.serve(1, 1);
  bench.recycle();
  EXPECT_EQ(stopped(bench.ready(2)), ids({1}));
}

TEST(Recycle, TakesOneWorkerAtATime) {
  Bench bench(web(2));
  bench.serve(1, 2);
  EXPECT_EQ(spawned(bench.recycle()), ids({3}));
  bench.ready(3);
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({4}));
  EXPECT_EQ(bench.progress().done, 1u);
  EXPECT_EQ(bench.progress().total, 2u);
  bench.ready(4);
  bench.drained(2);
  bench.exits(2, kStoppedWell);
  EXPECT_EQ(bench.progress().done, 2u);
  EXPECT_TRUE(bench.progress().finished());
}

TEST(Recycle, TakesAsManyAtOnceAsItIsAllowed) {
  PoolSettings settings = web(3);
  settings.recycle.at_once = 2;
  Bench bench(settings);
  bench.serve(1, 3);
  EXPECT_EQ(spawned(bench.recycle()), ids({4, 5}));
  bench.ready(5);
  bench.drained(2);
  EXPECT_EQ(spawned(bench.exits(2, kStoppedWell)), ids({6}));
}

TEST(Recycle, OfOneSlotLeavesTheOthersAlone) {
  Bench bench(web(3));
  bench.serve(1, 3);
  const Decision decision = bench.recycle(1);
  EXPECT_EQ(spawned(decision), ids({4}));
  EXPECT_EQ(std::get<SpawnWorker>(decision.actions[0]).name.slot, 1u);
  EXPECT_EQ(bench.progress().total, 1u);
}

TEST(Recycle, AskedForTwiceConcernsTheSameWorkersOnce) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  const BatchId first = bench.batch;
  EXPECT_THAT(spawned(bench.recycle()), IsEmpty());
  bench.ready(2);
  bench.drained(1);
  EXPECT_THAT(spawned(bench.exits(1, kStoppedWell)), IsEmpty());  // the second is served by this
  EXPECT_EQ(bench.pool.progress(first)->done, 1u);
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(Recycle, AskedForAgainWhileTheOldWorkerDrainsConcernsTheNewOne) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  EXPECT_THAT(spawned(bench.recycle()), IsEmpty());  // one at a time
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({3}));
}

TEST(Recycle, IsRefusedByAPoolThatDoesNotRun) {
  Bench bench(web());
  EXPECT_FALSE(bench.pool.recycle(std::nullopt, RecycleReason::Manual, bench.now));
  bench.begin();
  EXPECT_FALSE(bench.pool.recycle(std::nullopt, RecycleReason::Manual, bench.now));
  bench.ready(1);
  bench.stop();
  const auto refused = bench.pool.recycle(std::nullopt, RecycleReason::Manual, bench.now);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("stopped by an administrator"));
}

TEST(Recycle, IsRefusedForASlotWithoutAServingWorker) {
  Bench bench(web(2));
  bench.begin();
  bench.ready(1);
  EXPECT_FALSE(bench.pool.recycle(1, RecycleReason::Manual, bench.now));  // still starting
  EXPECT_FALSE(bench.pool.recycle(7, RecycleReason::Manual, bench.now));  // no such slot
}

TEST(Recycle, OfAPoolThatWaitsForDemandIsDoneAtOnce) {
  PoolSettings settings = web();
  settings.start = StartMode::OnDemand;
  Bench bench(settings);
  bench.begin();
  EXPECT_TRUE(is_empty(bench.recycle()));
  EXPECT_TRUE(bench.progress().finished());
}

TEST(Recycle, ForgetsTheProgressOfLongAgo) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  const BatchId first = bench.batch;
  for (int i = 0; i < 64; ++i) bench.recycle();
  EXPECT_EQ(bench.pool.progress(first), std::nullopt);
  EXPECT_TRUE(bench.pool.progress(bench.batch).has_value());
}

TEST(RecycleWithoutOverlap, StartsTheNewWorkerWhenTheOldOneIsGone) {
  Bench bench(not_overlapped());
  bench.serve(1, 1);
  const Decision begun = bench.recycle();
  EXPECT_EQ(drained(begun), ids({1}));
  EXPECT_THAT(spawned(begun), IsEmpty());
  EXPECT_THAT(spawned(bench.drained(1)), IsEmpty());
  const Decision end = bench.exits(1, kStoppedWell);
  EXPECT_EQ(spawned(end), ids({2}));
  EXPECT_EQ(start_reason(end), StartReason::Recycle);
}

TEST(RecycleWithoutOverlap, IsDoneWhenTheNewWorkerServes) {
  Bench bench(not_overlapped());
  bench.serve(1, 1);
  bench.recycle();
  bench.drained(1);
  EXPECT_FALSE(tells(bench.exits(1, kStoppedWell), EventKind::WorkerRecycled));
  EXPECT_FALSE(bench.progress().finished());
  EXPECT_TRUE(tells(bench.ready(2), EventKind::WorkerRecycled));
  EXPECT_EQ(bench.progress().done, 1u);
}

TEST(RecycleWithoutOverlap, TakesTheNextWorkerOnlyWhenTheLastOneIsReplaced) {
  Bench bench(not_overlapped(2));
  bench.serve(1, 2);
  bench.recycle();
  bench.drained(1);
  EXPECT_THAT(drained(bench.exits(1, kStoppedWell)), IsEmpty());
  EXPECT_EQ(drained(bench.ready(3)), ids({2}));
}

TEST(RecycleWithoutOverlap, HoldsRequestsInTheMeantime) {
  Bench bench(not_overlapped());
  bench.serve(1, 1);
  EXPECT_THAT(availabilities(bench.recycle()), IsEmpty());
  EXPECT_EQ(bench.pool.state(), PoolState::Running);  // the old worker answers what it has
  EXPECT_THAT(kinds(bench.drained(1)), ElementsAre(EventKind::PoolStarting));
  EXPECT_THAT(availabilities(bench.exits(1, kStoppedWell)), IsEmpty());
  EXPECT_EQ(bench.pool.availability(), Availability::Open);
  EXPECT_EQ(bench.pool.state(), PoolState::Starting);
}

}  // namespace
}  // namespace poolwarden::pool
