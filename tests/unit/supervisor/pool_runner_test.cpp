// What a runner does with the decisions of its pool, and what it tells the pool of what came of
// them.

#include "supervisor/pool_runner.h"

#include "unit/supervisor/runner_bench.h"

namespace poolwarden::supervisor {
namespace {

using diagnosis::Exited;
using diagnosis::Signaled;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(PoolRunner, TellsWhatHappenedBeforeItActs) {
  RunnerBench bench;
  bench.runner.begin();
  EXPECT_THAT(bench.look(),
              ElementsAre("event: pool.starting", "event: worker.starting", "host: spawn 1"));
  EXPECT_EQ(bench.changes, 1);
}

TEST(PoolRunner, TellsTheHostWhomItIsToStart) {
  RunnerBench bench(web(2));
  bench.runner.begin();
  const worker::Assignment& second = bench.host.assignments.at(WorkerId{2});
  EXPECT_EQ(second.pool, "web");
  EXPECT_EQ(second.slot, 1u);
  EXPECT_EQ(second.generation, 1u);
  EXPECT_TRUE(second.speaks_http);
}

TEST(PoolRunner, PublishesAReadyWorkerWithItsEndpointAndItsRow) {
  RunnerBench bench;
  bench.runner.begin();
  bench.look();
  bench.be_ready(1);
  EXPECT_THAT(bench.look(), ElementsAre("event: worker.ready", "event: pool.running",
                                        "gateway: ready 1 unix:/w1 row 0"));
}

TEST(PoolRunner, ShowsEndpointsRowsAndProcessesInItsSnapshot) {
  RunnerBench bench(web(2));
  bench.runner.begin();
  bench.host.let_start(WorkerId{2}, 4711);
  bench.be_ready(2);
  bench.host.let_say(WorkerId{2}, "warm");
  const pool::PoolSnapshot shot = bench.snapshot();
  EXPECT_EQ(shot.board_slot, 3u);
  ASSERT_EQ(shot.workers.size(), 2u);
  EXPECT_EQ(shot.workers[0].board_slot, -1);
  EXPECT_EQ(shot.workers[0].endpoint, "");
  EXPECT_EQ(shot.workers[1].board_slot, 0);
  EXPECT_EQ(shot.workers[1].endpoint, "unix:/w2");
  EXPECT_EQ(shot.workers[1].name.pid, 4711);
  EXPECT_EQ(shot.workers[1].status_text, "warm");
}

TEST(PoolRunner, RetiresAWorkerThatEndedAndTakesItsRowBack) {
  RunnerBench bench(web(), 2);
  bench.serve();
  bench.end(1, Signaled{SIGSEGV});
  EXPECT_THAT(bench.look(),
              ElementsAre("event: worker.exited", "event: worker.starting", "event: pool.starting",
                          "gateway: gone 1", "host: spawn 2", "gateway: mode restarting"));
  bench.be_ready(2);
  bench.end(2, Signaled{SIGSEGV});
  EXPECT_EQ(bench.rows.take(), 0u);
}

TEST(PoolRunner, KillsAWorkerThatNoRowIsLeftFor) {
  RunnerBench bench(web(), 0);
  bench.runner.begin();
  bench.be_ready(1);
  EXPECT_EQ(bench.look().back(), "host: kill 1");
  EXPECT_THAT(texts(bench.runner.introduction()), ElementsAre("pool web", "mode open"));
}

TEST(PoolRunner, DrainsThroughTheGatewayBeforeTheStopSignal) {
  RunnerBench bench;
  bench.serve();
  bench.runner.stop();
  EXPECT_THAT(bench.look(), ElementsAre("event: pool.stopping", "event: worker.draining",
                                        "gateway: drain 1 shutdown", "gateway: mode stopped"));
  bench.io.poll();
  EXPECT_THAT(bench.look(), IsEmpty());
  bench.runner.worker_drained(WorkerId{1}, 1);
  EXPECT_THAT(bench.look(), ElementsAre("host: stop 1"));
  bench.end(1);
  EXPECT_THAT(bench.look(),
              ElementsAre("event: worker.stopped", "event: pool.stopped", "gateway: gone 1"));
}

TEST(PoolRunner, BlamesARecycleForARequestThatARecycleLoses) {
  RunnerBench bench;
  bench.serve();
  ASSERT_TRUE(bench.runner.recycle(std::nullopt, pool::RecycleReason::Manual));
  bench.be_ready(2);
  EXPECT_EQ(bench.look().back(), "gateway: drain 1 recycle");
}

TEST(PoolRunner, SaysWhyARecycleIsRefused) {
  RunnerBench bench;
  EXPECT_FALSE(bench.runner.recycle(std::nullopt, pool::RecycleReason::Manual));
  EXPECT_THAT(bench.look(), IsEmpty());
}

TEST(PoolRunner, NeedsNoGatewayToDrain) {
  RunnerBench bench;
  bench.serve();
  bench.has_gateway = false;
  bench.runner.stop();
  EXPECT_THAT(bench.look(), ElementsAre("event: pool.stopping", "event: worker.draining"));
  bench.io.poll();
  EXPECT_THAT(bench.look(), ElementsAre("host: stop 1"));
}

TEST(PoolRunner, WaitsNoLongerForRequestsThatDiedWithTheirGateway) {
  RunnerBench bench;
  bench.serve();
  bench.runner.stop();
  bench.look();
  bench.runner.gateway_lost();
  EXPECT_THAT(bench.look(), ElementsAre("host: stop 1"));
  bench.runner.gateway_lost();
  EXPECT_THAT(bench.look(), IsEmpty());
}

TEST(PoolRunner, LeavesServingWorkersAloneWhenAGatewayDies) {
  RunnerBench bench;
  bench.serve();
  bench.runner.gateway_lost();
  EXPECT_THAT(bench.look(), IsEmpty());
}

TEST(PoolRunner, IntroducesItsPoolAndItsServingWorkersToANewGateway) {
  RunnerBench bench(web(3));
  bench.runner.begin();
  bench.be_ready(1);
  bench.be_ready(2);
  ASSERT_TRUE(bench.runner.recycle(0, pool::RecycleReason::Manual));
  bench.be_ready(4);  // in the place of 1, which drains; 3 is not ready
  EXPECT_THAT(
      texts(bench.runner.introduction()),
      ElementsAre("pool web", "mode open", "ready 2 unix:/w2 row 1", "ready 4 unix:/w4 row 2"));
  bench.end(2, Signaled{SIGSEGV});
  EXPECT_THAT(texts(bench.runner.introduction()),
              ElementsAre("pool web", "mode open", "ready 4 unix:/w4 row 2"));
}

TEST(PoolRunner, IntroducesItsPoolWithAllThatAGatewayNeeds) {
  pool::PoolSettings settings = web();
  settings.concurrency = 7;
  settings.queue.limit = 11;
  settings.rapid_fail.when_open = pool::WhenOpen::Reset;
  settings.health.request_timeout = 9s;
  const RunnerBench bench(settings);
  const auto messages = bench.runner.introduction();
  const auto& added = std::get<link::PoolAdded>(messages.at(0));
  EXPECT_EQ(added.pool, "web");
  EXPECT_EQ(added.board_slot, 3u);
  EXPECT_EQ(added.routes, settings.routes);
  EXPECT_EQ(added.concurrency, 7u);
  EXPECT_EQ(added.queue, settings.queue);
  EXPECT_EQ(added.when_open, pool::WhenOpen::Reset);
  EXPECT_EQ(added.request_timeout, Duration(9s));
  EXPECT_EQ(added.mode, link::PoolMode::Open);  // who comes before it begins waits
}

TEST(PoolRunner, HasNothingToTellAGatewayOfAPoolWithoutRoutes) {
  pool::PoolSettings settings = web();
  settings.routes.clear();
  RunnerBench bench(settings);
  bench.runner.begin();
  bench.be_ready(1);
  bench.runner.stop();
  bench.end(1);
  EXPECT_THAT(bench.sent, IsEmpty());
  EXPECT_THAT(bench.runner.introduction(), IsEmpty());
  EXPECT_EQ(bench.rows.take(), 0u);
}

TEST(PoolRunner, PublishesWorkersThatBecameReadyWithoutAGatewayToTheNextOne) {
  RunnerBench bench;
  bench.has_gateway = false;
  bench.serve();
  EXPECT_THAT(texts(bench.runner.introduction()),
              ElementsAre("pool web", "mode open", "ready 1 unix:/w1 row 0"));
}

pool::PoolSettings failing_once() {
  pool::PoolSettings settings = web();
  settings.rapid_fail.failures = 1;
  settings.rapid_fail.action = {"page-me"};
  return settings;
}

TEST(PoolRunner, TellsTheGatewayWhenToComeBackInWholeSecondsUp) {
  pool::PoolSettings settings = failing_once();
  settings.rapid_fail.retry_after = 1500ms;
  RunnerBench bench(settings);
  bench.runner.begin();
  bench.end(1, Exited{1});
  const auto& told = std::get<link::PoolModeChanged>(bench.sent.back());
  EXPECT_EQ(told.mode, link::PoolMode::RapidFail);
  EXPECT_EQ(told.retry_after_seconds, 2u);
  const auto introduction = bench.runner.introduction();
  EXPECT_EQ(std::get<link::PoolModeChanged>(introduction.at(1)).retry_after_seconds, 2u);
}

TEST(PoolRunner, RunsTheActionOfRapidFail) {
  RunnerBench bench(failing_once());
  bench.runner.begin();
  bench.end(1, Exited{1});
  ASSERT_EQ(bench.hooks.size(), 1u);
  EXPECT_THAT(bench.hooks[0].command, ElementsAre("page-me"));
}

TEST(PoolRunner, TellsTheGatewayOfAStartThatCannotHeal) {
  RunnerBench bench;
  bench.runner.begin();
  bench.end(1, diagnosis::NotStarted{diagnosis::SpawnStage::Exec, ENOENT, "app"});
  EXPECT_EQ(text(bench.sent.back()), "mode start_failure");
}

// Runs what is due until `what` was told or asked; false when that takes too long.
bool comes(RunnerBench& bench, const std::string& what) {
  const TimePoint limit = Clock::now() + 60s;
  while (Clock::now() < limit) {
    if (testing::Matches(testing::Contains(what))(bench.story)) return true;
    bench.io.restart();
    bench.io.run_one_until(limit);
  }
  return false;
}

TEST(PoolRunner, KeepsTheDeadlinesOfItsPool) {
  pool::PoolSettings settings = web();
  settings.worker.ready.timeout = 1ms;
  RunnerBench bench(settings);
  bench.runner.begin();
  EXPECT_TRUE(comes(bench, "host: kill 1"));
}

TEST(PoolRunner, MovesItsTimerWithEachDecision) {
  pool::PoolSettings settings = web();
  settings.worker.ready.timeout = 24h;
  settings.worker.stop.timeout = 1ms;
  RunnerBench bench(settings);
  bench.runner.begin();
  bench.runner.stop();
  EXPECT_TRUE(comes(bench, "host: kill 1"));
}

TEST(PoolRunner, WaitsForNothingWhenItsPoolHasStopped) {
  pool::PoolSettings settings = web();
  settings.recycle.after_requests = 1000;  // looked for a few times a second
  RunnerBench bench(settings);
  bench.serve();
  bench.runner.stop();
  bench.runner.worker_drained(WorkerId{1}, 1);
  bench.end(1);
  bench.io.restart();
  bench.io.run();  // comes back: whoever has a look to go lets it be the last one
  EXPECT_TRUE(bench.io.stopped());
}

TEST(PoolRunner, KillsWhatIsLeft) {
  RunnerBench bench(web(2));
  bench.runner.begin();
  bench.runner.shut_down();
  bench.look();
  bench.runner.kill_all();
  EXPECT_THAT(bench.look(), ElementsAre("host: kill 1", "host: kill 2"));
}

TEST(PoolRunner, StartsWorkersOnDemand) {
  pool::PoolSettings settings = web();
  settings.start = pool::StartMode::OnDemand;
  RunnerBench bench(settings);
  bench.runner.begin();
  bench.look();
  bench.runner.demand();
  EXPECT_THAT(bench.look(),
              ElementsAre("event: worker.starting", "event: pool.starting", "host: spawn 1"));
}

}  // namespace
}  // namespace poolwarden::supervisor
