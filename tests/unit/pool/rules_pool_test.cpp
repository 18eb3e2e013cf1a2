// Recycles that a pool finds due by itself, and what puts them off.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PoolSettings limited(std::uint32_t workers, std::uint64_t requests) {
  PoolSettings settings = web(workers);
  settings.recycle.after_requests = requests;
  settings.recycle.jitter_percent = 0;
  return settings;
}

TEST(RecycleRules, RecycleAWorkerAtItsRequests) {
  Bench bench(limited(1, 500));
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(499)}})));
  const Decision decision = look(bench, 0, {{1, after(500)}});
  EXPECT_THAT(recycle_reasons(decision), ElementsAre(RecycleReason::Requests));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(501)}}))) << "once";
}

TEST(RecycleRules, RecycleOneAtATime) {
  Bench bench(limited(4, 500));
  bench.serve(1, 4);
  const Seen all = {{1, after(500)}, {2, after(500)}, {3, after(500)}, {4, after(500)}};
  EXPECT_EQ(spawned(look(bench, 0, all)), ids({5}));
  EXPECT_EQ(drained(bench.ready(5)), ids({1}));
  EXPECT_THAT(spawned(bench.drained(1)), IsEmpty());
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({6}));
}

TEST(RecycleRules, DoNotRecycleTheNewBornForAnOldReason) {
  Bench bench(limited(1, 500));
  bench.serve(1, 1);
  look(bench, 0, {{1, after(500)}});
  bench.ready(2);
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(600)}, {2, after(1)}})));
}

TEST(RecycleRules, TakeAReasonThatComesWhileItDrainsForTheSameRecycle) {
  Bench bench(limited(1, 500));
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  EXPECT_THAT(recycle_reasons(look(bench, 0, {{1, after(500)}})), IsEmpty());
}

TEST(RecycleRules, PutWhoDoesHarmBeforeWhoIsOld) {
  PoolSettings settings = limited(3, 500);
  settings.recycle.over_memory = Size(Bytes{1000});
  Bench bench(settings);
  bench.serve(1, 3);
  look(bench, 0, {{1, after(500)}, {2, after(500)}, {3, after(1)}});  // 1 goes, 2 waits
  look(bench, 0, {{3, using_memory(1001)}});
  bench.ready(4);
  bench.drained(1);
  const Decision next = bench.exits(1, kStoppedWell);
  EXPECT_THAT(recycle_reasons(next), ElementsAre(RecycleReason::PrivateMemory));
  EXPECT_EQ(next.events.back().worker->id, WorkerId{5});
}

TEST(RecycleRules, TryAReplacementThatFailedAgainOnlyLater) {
  Bench bench(limited(1, 500));
  bench.serve(1, 1);
  look(bench, 0, {{1, after(500)}});
  const Decision failed = bench.exits(2, Exited{1});
  EXPECT_TRUE(tells(failed, EventKind::RecycleFailed));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(501)}})));
  bench.now += 1s;
  EXPECT_EQ(spawned(look(bench, 0, {{1, after(502)}})), ids({3}));
  bench.exits(3, Exited{1});
  bench.now += 1s;
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(502)}}))) << "longer after each failure";
  bench.now += 1s;
  EXPECT_EQ(spawned(look(bench, 0, {{1, after(502)}})), ids({4}));
}

TEST(RecycleRules, RecycleAtATimeOfDayAllThatServeThen) {
  PoolSettings settings = web(2);
  settings.recycle.at = {TimeOfDay{3, 0}};
  Bench bench(settings);  // it is one o'clock
  bench.serve(1, 2);
  look(bench, 0, {{1, after(0)}, {2, after(0)}});
  EXPECT_EQ(bench.snapshot().next_recycle_at, WallTime{} + 3h);
  bench.now += 2h - 1s;
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, after(0)}, {2, after(0)}})));
  bench.now += 1s;
  EXPECT_EQ(spawned(look(bench, 0, {{1, after(0)}, {2, after(0)}})), ids({3}));
  bench.ready(3);
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({4}));
  bench.ready(4);
  bench.drained(2);
  bench.exits(2, kStoppedWell);
  EXPECT_TRUE(is_empty(look(bench, 0, {{3, after(0)}, {4, after(0)}})));
}

TEST(RecycleRules, MakeUpForNoTimeThatAPoolWasStoppedAt) {
  PoolSettings settings = web();
  settings.recycle.at = {TimeOfDay{3, 0}};
  Bench bench(settings);  // it is one o'clock
  bench.serve(1, 1);
  look(bench, 0, {{1, after(0)}});
  bench.stop();
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  bench.now += 2h + 1min;
  bench.start();
  bench.ready(2);
  EXPECT_TRUE(is_empty(look(bench, 0, {{2, after(0)}})));
  EXPECT_TRUE(is_empty(look(bench, 0, {{2, after(0)}})));
}

TEST(RecycleRules, LetOneThatBeginsToDoHarmOvertake) {
  PoolSettings settings = limited(3, 500);
  settings.recycle.over_memory = Size(Bytes{1000});
  Bench bench(settings);
  bench.serve(1, 3);
  look(bench, 0, {{1, after(500)}, {2, after(500)}, {3, after(500)}});  // 1 goes, 2 and 3 wait
  look(bench, 0, {{3, using_memory(1001)}});
  bench.ready(4);
  bench.drained(1);
  const Decision next = bench.exits(1, kStoppedWell);
  EXPECT_THAT(recycle_reasons(next), ElementsAre(RecycleReason::PrivateMemory));
}

TEST(RecycleRules, AreHeldUpByALongAnswerOnlySoLong) {
  Bench bench(limited(2, 500));
  bench.serve(1, 2);
  look(bench, 0, {{1, after(500)}, {2, after(500)}});
  bench.ready(3);  // 1 drains, and has a request that does not end
  bench.now += 10s - 1ms;
  EXPECT_THAT(spawned(look(bench, 0, {{2, after(501)}})), IsEmpty());
  bench.now += 1ms;
  EXPECT_EQ(spawned(look(bench, 0, {{2, after(501)}})), ids({4}));
}

TEST(RecycleRules, LeaveAWorkerInADebuggerAlone) {
  PoolSettings settings = limited(1, 500);
  settings.recycle.over_memory = Size(Bytes{1000});
  Bench bench(settings);
  bench.serve(1, 1);
  WorkerObservation seen = using_memory(2000);
  seen.is_traced = true;
  EXPECT_THAT(kinds(look(bench, 0, {{1, seen}})), ElementsAre(EventKind::WorkerUnhealthyIgnored));
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, seen}}))) << "told once";
  seen.is_traced = false;
  EXPECT_THAT(recycle_reasons(look(bench, 0, {{1, seen}})),
              ElementsAre(RecycleReason::PrivateMemory));
}

Observation with_memory(std::uint64_t total, std::uint64_t used, std::uint64_t of_worker) {
  Observation seen;
  seen.memory_total = total;
  seen.memory_used = used;
  seen.workers[WorkerId{1}] = using_memory(of_worker);
  seen.workers[WorkerId{1}].requests = 500;
  return seen;
}

TEST(RecycleWithoutHeadroom, IsDoneInPlace) {
  Bench bench(limited(1, 500));
  bench.serve(1, 1);
  const Decision decision = look(bench, with_memory(1000, 700, 400));
  EXPECT_EQ(drained(decision), ids({1}));
  EXPECT_THAT(spawned(decision), IsEmpty());
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, kStoppedWell)), ids({2}));
  bench.ready(2);
  EXPECT_TRUE(bench.pool.is_complete());
}

TEST(RecycleWithoutHeadroom, WaitsWhileTooFewOthersServe) {
  Bench bench(limited(2, 500));
  bench.begin();
  bench.ready(1);  // the other one starts still
  const Decision decision = look(bench, with_memory(1000, 700, 400));
  EXPECT_THAT(deferrals(decision), ElementsAre(Deferral::NoHeadroom));
  EXPECT_TRUE(is_empty(look(bench, with_memory(1000, 700, 400)))) << "told once";
  EXPECT_EQ(drained(bench.ready(2)), ids({1}));
}

TEST(RecycleInPlace, IsPutOffBelowTheFloor) {
  PoolSettings settings = limited(4, 500);
  settings.recycle.overlapped = false;
  Bench bench(settings);
  bench.serve(1, 4);
  bench.exits(4, kCrash);  // its successor, 5, is not ready yet
  EXPECT_THAT(deferrals(look(bench, 0, {{1, after(500)}})), ElementsAre(Deferral::Floor));
  EXPECT_EQ(drained(bench.ready(5)), ids({1}));
}

TEST(FullQueue, HasTheMostSilentWorkerReplaced) {
  PoolSettings settings = web(2);
  settings.queue.recycle_over = 100;
  Bench bench(settings);
  bench.serve(1, 2);
  bench.now += 1min;
  WorkerObservation lively = busy(32);
  lively.last_response = bench.now - 1s;
  WorkerObservation silent = busy(32);
  silent.last_response = bench.now - 10s;
  EXPECT_TRUE(is_empty(look(bench, 100, {{1, lively}, {2, silent}})));
  const Decision decision = look(bench, 101, {{1, lively}, {2, silent}});
  EXPECT_THAT(recycle_reasons(decision), ElementsAre(RecycleReason::QueueLimit));
  EXPECT_EQ(decision.events.front().worker->id, WorkerId{2});
  EXPECT_THAT(recycle_reasons(look(bench, 500, {{1, lively}, {2, silent}})), IsEmpty())
      << "one, and then it is seen whether that helped";
}

TEST(FullQueue, DoesNotBlameTheNewBorn) {
  PoolSettings settings = web(2);
  settings.queue.recycle_over = 100;
  Bench bench(settings);
  bench.begin();
  bench.ready(1);
  WorkerObservation stuck = busy(32);
  stuck.last_response = bench.now;
  bench.now += 10min;
  bench.ready(2);
  const Decision decision = look(bench, 101, {{1, stuck}, {2, busy(32)}});
  EXPECT_EQ(decision.events.front().worker->id, WorkerId{1});
}

TEST(FullQueue, HasAnotherReplacedWhenOneWasNotEnough) {
  PoolSettings settings = web(1);
  settings.queue.recycle_over = 100;
  Bench bench(settings);
  bench.serve(1, 1);
  look(bench, 101, {{1, busy(32)}});
  bench.ready(2);
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  bench.now += 9s;
  EXPECT_THAT(recycle_reasons(look(bench, 101, {{2, busy(32)}})), IsEmpty());
  bench.now += 1s;
  EXPECT_THAT(recycle_reasons(look(bench, 101, {{2, busy(32)}})),
              ElementsAre(RecycleReason::QueueLimit));
}

TEST(Observation, IsMoreFrequentTheShorterTheLimits) {
  EXPECT_EQ(Bench(web()).pool.observation_interval(), std::nullopt);  // not begun
  Bench slow(web());
  slow.begin();
  EXPECT_EQ(slow.pool.observation_interval(), Duration(1s));
  PoolSettings settings = web();
  settings.health.deadlock_after = 1s;
  Bench quick(settings);
  quick.begin();
  EXPECT_EQ(quick.pool.observation_interval(), Duration(250ms));
}

}  // namespace
}  // namespace poolwarden::pool
