// What a pool does about a worker that uses too much CPU time: told, held back, or replaced.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using worker::CpuAction;

PoolSettings limited(CpuAction action) {
  PoolSettings settings = web(1);
  settings.worker.limits.cpu = Percent{100};
  settings.worker.limits.cpu_action = action;
  settings.worker.limits.cpu_window = 10s;
  return settings;
}

WorkerObservation used(Duration time, std::uint32_t in_flight = 0) {
  WorkerObservation seen;
  seen.usage.cpu_time = seen.usage.throttled = time;
  seen.in_flight = in_flight;
  return seen;
}

// One CPU and a bit, for a second.
Decision burn(Bench& bench, std::uint64_t id) {
  look(bench, 0, {{id, used(0s)}});
  bench.now += 1s;
  return look(bench, 0, {{id, used(11s)}});
}

TEST(CpuRule, IsToldOfByLogAndNoMore) {
  Bench bench(limited(CpuAction::Log));
  bench.serve(1, 1);
  const Decision decision = burn(bench, 1);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerOverCpu));
  EXPECT_THAT(decision.actions, IsEmpty());
  EXPECT_EQ(level_of(decision.events.front()), Level::Warning);
  EXPECT_EQ(was_number(decision.events.front()), 5025);
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, used(20s)}}))) << "once a window";
}

TEST(CpuRule, IsToldOfByThrottleWhenItHeldBackForLong) {
  Bench bench(limited(CpuAction::Throttle));
  bench.serve(1, 1);
  const Decision decision = burn(bench, 1);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerThrottled));
  EXPECT_EQ(was_number(decision.events.front()), 5210);
  EXPECT_THAT(decision.actions, IsEmpty());
}

TEST(CpuRule, ReplacesAWorkerByKill) {
  Bench bench(limited(CpuAction::Kill));
  bench.serve(1, 1);
  const Decision decision = burn(bench, 1);
  EXPECT_TRUE(tells(decision, EventKind::WorkerOverCpu));
  EXPECT_THAT(recycle_reasons(decision), ElementsAre(RecycleReason::Cpu));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving) << "until the other one is ready";
}

// A recycle waits for requests without limit, and would keep what burns CPU for as long.
TEST(CpuRule, GivesItsRequestsOnlyAsLongAsAStop) {
  Bench bench(limited(CpuAction::Kill));
  bench.serve(1, 1);
  burn(bench, 1);
  EXPECT_EQ(drained(bench.ready(2)), ids({1}));
  const Duration drain = *worker::Stop{}.drain;
  EXPECT_THAT(stopped(bench.tick_after(drain - 1ns)), IsEmpty());
  EXPECT_EQ(stopped(bench.tick_after(1ns)), ids({1}));
  EXPECT_EQ(killed(bench.tick_after(*worker::Stop{}.timeout)), ids({1}));
  const Decision end = bench.exits(1, Signaled{SIGKILL});
  EXPECT_FALSE(counts(end)) << "toward rapid-fail";
  EXPECT_TRUE(tells(end, EventKind::WorkerRecycled));
}

TEST(CpuRule, LeavesAnotherRecycleAllTheTimeThatItNeeds) {
  Bench bench(limited(CpuAction::Kill));
  bench.serve(1, 1);
  bench.recycle();
  EXPECT_EQ(drained(bench.ready(2)), ids({1}));
  EXPECT_THAT(stopped(bench.tick_after(1h)), IsEmpty());
}

TEST(CpuRule, LeavesAloneWhoIsDebugged) {
  Bench bench(limited(CpuAction::Kill));
  bench.serve(1, 1);
  bench.pool.traced(WorkerId{1}, true);
  const Decision decision = burn(bench, 1);
  EXPECT_THAT(kinds(decision), ElementsAre(EventKind::WorkerOverCpu));
  EXPECT_THAT(decision.events.front().sentence, testing::HasSubstr("a debugger is attached"));
  EXPECT_TRUE(is_empty(look(bench, 0, {{1, used(12s)}})));
}

// By the total that throttle looks at, 5 s of CPU time would be 1005 s too many.
TEST(CpuRule, JudgesAWorkerByTheLimitsThatItWasStartedWith) {
  Bench bench(limited(CpuAction::Throttle));
  bench.serve(1, 1);
  WorkerObservation healthy;
  healthy.usage.throttled = 0s;
  healthy.usage.cpu_time = 1000s;
  look(bench, 0, {{1, healthy}});
  PoolSettings changed = limited(CpuAction::Kill);
  changed.worker.limits.cpu = Percent{1};
  bench.pool.reconfigure(std::make_shared<const PoolSettings>(changed), false, bench.now);
  bench.now += 1s;
  healthy.usage.cpu_time = 1005s;
  const Decision decision = look(bench, 0, {{1, healthy}});
  EXPECT_FALSE(tells(decision, EventKind::WorkerOverCpu));
  EXPECT_THAT(recycle_reasons(decision), IsEmpty());
}

TEST(CpuRule, TakesAnotherWindowForAllWorkers) {
  Bench bench(limited(CpuAction::Log));
  bench.serve(1, 1);
  PoolSettings changed = limited(CpuAction::Log);
  changed.worker.limits.cpu_window = 60s;
  bench.pool.reconfigure(std::make_shared<const PoolSettings>(changed), false, bench.now);
  EXPECT_FALSE(tells(burn(bench, 1), EventKind::WorkerOverCpu)) << "11 s of 60";
}

TEST(CpuRule, LeavesInPeaceWhoLeavesAnyway) {
  Bench bench(limited(CpuAction::Log));
  bench.serve(1, 1);
  look(bench, 0, {{1, used(0s)}});
  bench.recycle();
  bench.ready(2);  // 1 drains
  EXPECT_FALSE(tells(look(bench, 0, {{1, used(11s)}}), EventKind::WorkerOverCpu));
}

}  // namespace
}  // namespace poolwarden::pool
