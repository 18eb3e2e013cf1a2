// What a reload does to pools, in which order, and what it leaves alone.

#include "supervisor/reload.h"

#include "unit/supervisor/supervisor_bench.h"

namespace poolwarden::supervisor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Stage = Standing::Stage;

const std::string kTop = "listen: 127.0.0.1:0\n";
const std::string kWeb = kTop + "pools:\n  web: {command: [a], routes: [{path: /}]}\n";
const std::string kJob = kTop + "pools:\n  web: {command: [a]}\n";

// Its only pool, web, has its only worker, 1.
class ReloadTest : public testing::Test {
 protected:
  explicit ReloadTest(const std::string& yaml = kWeb) : bench(yaml) {
    bench.be_ready(1);
    bench.look();
  }
  Standing standing(const PoolOutcome& outcome) { return bench.supervisor.standing(outcome); }

  SupervisorBench bench;
};

TEST_F(ReloadTest, LeavesAloneWhatDoesNotChange) {
  const auto outcomes = bench.reload(kWeb);
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Done);
  EXPECT_THAT(bench.look(), ElementsAre("gateway: routes"));
}

TEST_F(ReloadTest, ChangesAPoolLiveWithoutTouchingItsWorkers) {
  const auto outcomes =
      bench.reload(kTop + "pools: {web: {command: [a], routes: [{path: /x}], concurrency: 3}}");
  ASSERT_TRUE(outcomes);
  EXPECT_EQ(standing(outcomes->at(0)).sentence, "pool web: live change of routes and concurrency");
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Done);
  EXPECT_THAT(bench.look(), ElementsAre("event: pool.changed web", "gateway: pool web open /x",
                                        "gateway: mode web open", "gateway: routes"));
  EXPECT_EQ(bench.supervisor.find("web")->pool().settings().concurrency, 3u);
}

TEST_F(ReloadTest, ReplacesWorkersThatGotWhatChanged) {
  const auto outcomes = bench.reload(kTop + "pools: {web: {command: [b], routes: [{path: /}]}}");
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(bench.look(), Contains("host: spawn 2"));
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Pending);
  EXPECT_THAT(standing(outcomes->at(0)).sentence, HasSubstr("0 of 1 workers recycled"));
  bench.be_ready(2);
  EXPECT_THAT(bench.look(), Contains("gateway: drain 1 reload"));
  bench.drained(1);
  bench.end(1);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Done);
}

TEST_F(ReloadTest, KeepsTheOldWorkerWhenItsReplacementFails) {
  const auto outcomes = bench.reload(kTop + "pools: {web: {command: [b], routes: [{path: /}]}}");
  bench.end(2, 1);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Failed);
  EXPECT_THAT(bench.look(), Not(Contains("host: stop 1")));
}

TEST_F(ReloadTest, MovesARouteBetweenPoolsAtOneInstant) {
  bench.reload(kTop +
               "pools: {web: {command: [a], routes: [{path: /web}]}, "
               "other: {command: [a], routes: [{path: /}]}}");
  const std::vector<std::string> told = bench.told_gateway();
  EXPECT_THAT(told, ElementsAre("pool web open /web", "mode web open", "pool other open /",
                                "mode other open", "routes"));
}

TEST_F(ReloadTest, AddsAPool) {
  const auto outcomes = bench.reload(kTop +
                                     "pools: {api: {command: [a], routes: [{path: /api}]}, "
                                     "web: {command: [a], routes: [{path: /}]}}");
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(bench.look(), Contains("event: pool.added api"));
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Pending);
  EXPECT_THAT(bench.supervisor.pool_names(), ElementsAre("api", "web"));
  bench.be_ready(2);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Done);
  EXPECT_THAT(bench.look(), Contains("gateway: ready api 2"));
}

TEST_F(ReloadTest, TellsOfAnAddedPoolThatCannotStart) {
  const auto outcomes = bench.reload(
      kTop +
      "pools: {api: {command: [a], routes: [{path: /api}], rapid_fail: {failures: 1}}, "
      "web: {command: [a], routes: [{path: /}]}}");
  bench.end(2, 1);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Failed);
  EXPECT_THAT(standing(outcomes->at(0)).sentence, HasSubstr("pool api did not start: "));
}

const std::string kOther = kTop + "pools: {other: {command: [a], routes: [{path: /}]}}";

TEST_F(ReloadTest, RemovesAPoolWhenAllThatWaitForItAreAnswered) {
  bench.wait_in_queue("web", 1);
  const auto outcomes = bench.reload(kOther);
  ASSERT_TRUE(outcomes);
  const PoolOutcome& removal = outcomes->at(1);
  EXPECT_EQ(removal.change.change, config::Change::Remove);
  EXPECT_THAT(bench.look(), Contains("gateway: pool web open"));  // without a route
  EXPECT_EQ(bench.supervisor.find("web"), nullptr);
  EXPECT_TRUE(bench.shot_of("web").removed);
  bench.be_ready(2);
  EXPECT_EQ(standing(removal).stage, Stage::Pending);
  EXPECT_THAT(bench.look(), Not(Contains(HasSubstr("drain"))));

  bench.wait_in_queue("web", 0);
  ASSERT_TRUE(bench.comes("gateway: drain 1 reload"));
  bench.drained(1);
  bench.look();
  bench.end(1);
  ASSERT_TRUE(bench.comes("event: pool.removed web"));
  bench.settle();
  EXPECT_THAT(bench.look(), ElementsAre("event: worker.stopped web", "event: pool.stopped web",
                                        "event: pool.removed web", "gateway: gone 1",
                                        "gateway: removed web", "gateway: routes"));
  EXPECT_EQ(standing(removal).stage, Stage::Done);
  EXPECT_EQ(bench.shot_of("web").settings, nullptr);
}

TEST_F(ReloadTest, TellsANewGatewayOfAPoolThatLeavesButNotOfItsRoutes) {
  bench.wait_in_queue("web", 1);
  bench.reload(kOther);
  bench.look();
  bench.end_gateway();
  ASSERT_TRUE(bench.comes([&] { return bench.gateways == 2; }));
  bench.settle();
  EXPECT_THAT(bench.told_gateway(),
              ElementsAre(HasSubstr("welcome"), "pool other open /", "mode other open",
                          "pool web open", "mode web open", "ready web 1", "routes"));
}

TEST_F(ReloadTest, RefusesToChangeAPoolThatTheLastOneStillChanges) {
  bench.wait_in_queue("web", 1);
  bench.reload(kOther);
  bench.look();
  const auto refused = bench.reload(kWeb);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot change pool web, for what the last"));
  EXPECT_THAT(bench.look(), IsEmpty());
  EXPECT_TRUE(bench.reload(kOther));
}

TEST_F(ReloadTest, RefusesWhatOnlyARestartCanChange) {
  const auto refused = bench.reload(
      "listen: 127.0.0.1:1\nlog: {level: debug}\npools: {web: {command: [b]}, x: {command: [x]}}");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot change listen and log.level while"));
  EXPECT_THAT(bench.look(), IsEmpty());
  EXPECT_THAT(bench.supervisor.pool_names(), ElementsAre("web"));
}

TEST_F(ReloadTest, EndsAPoolThatLeavesTogetherWithAllOthers) {
  bench.wait_in_queue("web", 1);
  bench.reload(kOther);
  bench.be_ready(2);
  EXPECT_FALSE(bench.host.hurried);
  bench.supervisor.shut_down("the test is over");
  EXPECT_TRUE(bench.host.hurried) << "a core file is not worth the time to end in";
  bench.supervisor.shut_down("now");  // the fake gateway says nothing of its requests
  bench.end(1);
  bench.end(2);
  ASSERT_TRUE(bench.comes([&] { return bench.exit_code.has_value(); }));
  EXPECT_EQ(bench.exit_code, 0);
}

class RestartTest : public ReloadTest {
 protected:
  RestartTest() : ReloadTest(kJob) {}
};

TEST_F(RestartTest, BeginsAnewWhenTheOldWorkersAreGone) {
  const auto outcomes = bench.reload(kWeb);
  ASSERT_TRUE(outcomes);
  const PoolOutcome& restart = outcomes->at(0);
  EXPECT_EQ(restart.change.change, config::Change::Restart);
  // Whoever asks now waits: the route is there, and the pool is not called stopped.
  EXPECT_THAT(bench.look(),
              testing::IsSupersetOf({"gateway: pool web open /", "gateway: mode web open",
                                     "gateway: routes", "host: stop 1"}));
  EXPECT_EQ(standing(restart).stage, Stage::Pending);
  EXPECT_EQ(standing(restart).sentence, "pool web waits for its old workers");
  EXPECT_THAT(standing(restart).holdup, HasSubstr("worker 0"));
  bench.end(1);
  ASSERT_TRUE(bench.comes("host: spawn 2"));
  EXPECT_EQ(standing(restart).stage, Stage::Pending);
  bench.be_ready(2);
  EXPECT_EQ(standing(restart).stage, Stage::Done);
  const std::vector<std::string> story = bench.look();
  EXPECT_THAT(story, Contains("gateway: ready web 2"));
  // Whoever waits would be refused.
  EXPECT_THAT(story, testing::Not(Contains("gateway: mode web stopped")));
}

TEST_F(RestartTest, OpensTheListeningSocketsForTheFirstPoolThatSpeaksHttp) {
  EXPECT_EQ(bench.gateways, 0);
  ASSERT_TRUE(bench.reload(kWeb));
  EXPECT_EQ(bench.gateways, 1);
  EXPECT_THAT(bench.told_gateway(), Contains("welcome 1 sockets"));
  EXPECT_EQ(bench.supervisor.snapshot()->listeners.size(), 1u);
}

TEST(Restart, ChangesNothingWhenNobodyCanListen) {
  SupervisorBench bench("listen: 192.0.2.1:1\npools: {web: {command: [a]}}");
  const auto refused =
      bench.reload("listen: 192.0.2.1:1\npools: {web: {command: [a], routes: [{}]}}");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot listen on 192.0.2.1:1"));
  EXPECT_THAT(bench.look(), IsEmpty());
  EXPECT_FALSE(bench.supervisor.find("web")->pool().settings().speaks_http());
}

TEST_F(ReloadTest, StopsAPoolThatCeasesToSpeakHttpAndBeginsItAnew) {
  const auto outcomes = bench.reload(kJob);
  ASSERT_TRUE(bench.comes("gateway: drain 1 reload"));
  bench.drained(1);
  bench.look();
  bench.end(1);
  ASSERT_TRUE(bench.comes("host: spawn 2"));
  const std::vector<std::string> story = bench.look();
  EXPECT_THAT(story, Contains("gateway: removed web"));
  EXPECT_THAT(story, Not(Contains("event: pool.removed web")));
  bench.be_ready(2);
  EXPECT_EQ(standing(outcomes->at(0)).stage, Stage::Done);
}

TEST(Scale, RefusesMoreWorkersThanCanBeKeptTrackOf) {
  SupervisorBench bench(
      "pools: {a: {command: [x], workers: {max: 1024}}, "
      "b: {command: [x], workers: {max: 1024}}, "
      "c: {command: [x], workers: {max: 1024}}, d: {command: [x]}}");
  EXPECT_FALSE(bench.supervisor.scale("d", {1, 1021}));
  EXPECT_TRUE(bench.supervisor.scale("d", {2, 1020}));
  EXPECT_EQ(bench.shot_of("d").workers_max, 1020u);
  EXPECT_FALSE(bench.supervisor.scale("d", {0, 0}));
}

TEST(Pools, HaveRowsForSoManyNamesAndNoMore) {
  SupervisorBench bench("pools: {a: {command: [x]}}");
  Pools pools([&](const pool::PoolSettings&, std::uint32_t) { return bench.supervisor.find("a"); });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < link::kMaxPools; ++i) names.push_back("p" + std::to_string(i));
  EXPECT_TRUE(pools.has_rows_for(names));
  pool::PoolSettings settings;
  settings.name = "p0";
  pools.add(settings);
  EXPECT_TRUE(pools.has_rows_for(names)) << "p0 has one already";
  settings.name = "other";
  pools.add(settings);
  EXPECT_FALSE(pools.has_rows_for(names));
}

}  // namespace
}  // namespace poolwarden::supervisor
