// Rapid-fail protection in a pool: what counts, what a trip does, how it is closed again.

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

PoolSettings protected_pool(std::uint32_t failures, std::uint32_t workers = 1) {
  PoolSettings settings = web(workers);
  settings.rapid_fail.failures = failures;
  settings.rapid_fail.action = {"/usr/local/bin/page-me", "now"};
  return settings;
}

// The only worker fails, its successor too, and so on until `failures` have been counted.
Decision fail(Bench& bench, int failures, const diagnosis::ExitStatus& status = Exited{1}) {
  Decision last;
  for (int i = 0; i < failures; ++i) {
    if (bench.snapshot().workers.empty()) bench.tick_after(10s);
    last = bench.exits(number(bench.snapshot().workers.back().name.id), status);
  }
  return last;
}

TEST(RapidFailPool, IsDisabledAtTheNthFailure) {
  Bench bench(protected_pool(5));
  bench.begin();
  fail(bench, 4);
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  const Decision decision = fail(bench, 1);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::RapidFail);
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::RapidFail));
  EXPECT_THAT(spawned(decision), IsEmpty());
  EXPECT_TRUE(counts(decision));
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

TEST(RapidFailPool, SaysWhatHappenedAndWhatToDo) {
  Bench bench(protected_pool(1));
  bench.begin();
  const Decision decision = fail(bench, 1);
  const Event* told = event(decision, EventKind::PoolRapidFail);
  ASSERT_NE(told, nullptr);
  EXPECT_THAT(told->sentence, HasSubstr("1 failure within 5m"));
  EXPECT_THAT(told->sentence, HasSubstr("exited with code 1"));
  EXPECT_THAT(told->sentence, HasSubstr("poolwarden start web"));
}

TEST(RapidFailPool, StopsItsOtherWorkersToo) {
  Bench bench(protected_pool(1, 2));
  bench.serve(1, 2);
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_EQ(drained(decision), ids({2}));
  EXPECT_EQ(bench.pool.state(), PoolState::Stopping);
  bench.drained(2);
  EXPECT_TRUE(tells(bench.exits(2, kStoppedWell), EventKind::PoolStopped));
}

TEST(RapidFailPool, RunsItsActionOnceWithTheStoryInItsEnvironment) {
  Bench bench(protected_pool(2));
  bench.begin();
  bench.pool.worker_spawned(WorkerId{1}, 100);
  EXPECT_EQ(hook(bench.exits(1, Exited{1})), nullptr);
  bench.pool.worker_spawned(WorkerId{2}, 101);
  const Decision decision = bench.exits(2, Exited{3});
  const RunHook* action = hook(decision);
  ASSERT_NE(action, nullptr);
  EXPECT_EQ(action->name, "rapid_fail.action");
  EXPECT_THAT(action->command, ElementsAre("/usr/local/bin/page-me", "now"));
  EXPECT_THAT(
      action->environment,
      testing::UnorderedElementsAre(
          Pair("POOLWARDEN_EVENT", "pool.rapid_fail"), Pair("POOLWARDEN_POOL", "web"),
          Pair("POOLWARDEN_WORKER", "0"), Pair("POOLWARDEN_GENERATION", "2"),
          Pair("POOLWARDEN_PID", "101"), Pair("POOLWARDEN_DIAGNOSIS", "exit_nonzero"),
          Pair("POOLWARDEN_SENTENCE", "exited with code 3"), Pair("POOLWARDEN_FAILURES", "2"),
          Pair("POOLWARDEN_WITHIN", "5m"), Pair("POOLWARDEN_EXIT_CODE", "3")));
}

TEST(RapidFailPool, NamesTheSignalInTheEnvironmentOfItsAction) {
  Bench bench(protected_pool(1));
  bench.begin();
  const Decision decision = bench.exits(1, kCrash);
  ASSERT_NE(hook(decision), nullptr);
  EXPECT_THAT(hook(decision)->environment, testing::Contains(Pair("POOLWARDEN_SIGNAL", "SIGSEGV")));
  EXPECT_FALSE(hook(decision)->environment.contains("POOLWARDEN_EXIT_CODE"));
}

// An action prints it, or puts it into a mail.
TEST(RapidFailPool, TellsItsActionNothingThatATerminalWouldObey) {
  Bench bench(protected_pool(1));
  bench.begin();
  const Decision decision =
      bench.exits(1, diagnosis::NotStarted{diagnosis::SpawnStage::Exec, EAGAIN, "/bin/\x1b[2J"});
  ASSERT_NE(hook(decision), nullptr);
  const std::string sentence = hook(decision)->environment.at("POOLWARDEN_SENTENCE");
  EXPECT_THAT(sentence, testing::HasSubstr("/bin/\\x1b[2J"));
  EXPECT_EQ(sentence.find('\x1b'), std::string::npos) << sentence;
}

TEST(RapidFailPool, HasNothingToRunWithoutAnAction) {
  PoolSettings settings = protected_pool(1);
  settings.rapid_fail.action.clear();
  Bench bench(settings);
  bench.begin();
  EXPECT_EQ(hook(fail(bench, 1)), nullptr);
}

TEST(RapidFailPool, DoesNotTripOnFailuresThatAreFarApart) {
  PoolSettings settings = protected_pool(2);
  settings.rapid_fail.within = 60s;
  Bench bench(settings);
  bench.begin();
  for (int i = 0; i < 20; ++i) {
    fail(bench, 1);
    ASSERT_EQ(bench.pool.disabled(), std::nullopt);
    bench.tick_after(60s);
  }
}

TEST(RapidFailPool, SeesABurstAcrossTheEdgeOfAFixedWindow) {
  PoolSettings settings = protected_pool(3);
  settings.rapid_fail.within = 60s;
  Bench bench(settings);
  bench.begin();
  fail(bench, 1);
  bench.tick_after(58s);
  fail(bench, 1);
  bench.tick_after(3s);
  fail(bench, 1);
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  bench.tick_after(1s);
  fail(bench, 1);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::RapidFail);
}

TEST(RapidFailPool, CountsTheWorkersOfAllSlotsTogether) {
  Bench bench(protected_pool(3, 3));
  bench.serve(1, 3);
  bench.exits(1, kCrash);
  bench.exits(2, kCrash);
  bench.exits(3, kCrash);
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::RapidFail);
}

TEST(RapidFailPool, CountsNoEndThatWasAskedFor) {
  Bench bench(protected_pool(1));
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  bench.drained(1);
  EXPECT_FALSE(counts(bench.exits(1, Exited{1})));
  bench.stop();
  bench.drained(2);
  EXPECT_FALSE(counts(bench.exits(2, Signaled{SIGTERM})));
  EXPECT_EQ(bench.snapshot().window_failures, 0u);
}

TEST(RapidFailPool, CountsNothingThatHappensWhileItStops) {
  Bench bench(protected_pool(1, 2));
  bench.serve(1, 2);
  bench.stop();
  const Decision decision = bench.exits(1, kCrash);
  EXPECT_TRUE(tells(decision, EventKind::WorkerExited));
  EXPECT_FALSE(counts(decision));
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Admin);
}

TEST(RapidFailPool, IsClosedAgainByAStartAndCountsFromNothing) {
  Bench bench(protected_pool(2));
  bench.begin();
  fail(bench, 2);
  const Decision decision = bench.start();
  EXPECT_TRUE(tells(decision, EventKind::PoolEnabled));
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_EQ(bench.pool.disabled_because(), "");
  EXPECT_THAT(availabilities(decision), ElementsAre(Availability::Open));
  EXPECT_EQ(spawned(decision), ids({3}));
  EXPECT_EQ(bench.snapshot().window_failures, 0u);
  EXPECT_EQ(spawned(fail(bench, 1)), ids({4}));  // the back-off is forgotten too
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
}

TEST(RapidFailPool, StaysStoppedWhateverTimePassesOrIsAskedFor) {
  Bench bench(protected_pool(1));
  bench.begin();
  fail(bench, 1);
  EXPECT_TRUE(is_empty(bench.tick_after(24h)));
  EXPECT_TRUE(is_empty(bench.demand()));
}

TEST(RapidFailPool, BecomesAStoppedPoolWhenAnAdministratorStopsIt) {
  Bench bench(protected_pool(1));
  bench.begin();
  fail(bench, 1);
  EXPECT_THAT(availabilities(bench.stop()), ElementsAre(Availability::Stopped));
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::Admin);
}

TEST(RapidFailPool, IsShownInTheSnapshot) {
  Bench bench(protected_pool(3));
  bench.begin();
  fail(bench, 2);
  EXPECT_EQ(bench.snapshot().window_failures, 2u);
  EXPECT_EQ(bench.snapshot().last_trip, std::nullopt);
  fail(bench, 1);
  const PoolSnapshot shot = bench.snapshot();
  EXPECT_EQ(shot.disabled, DisabledReason::RapidFail);
  EXPECT_THAT(shot.disabled_because, HasSubstr("3 failures within 5m"));
  EXPECT_EQ(shot.workers_desired, 0u);
  EXPECT_TRUE(shot.last_trip.has_value());
  EXPECT_EQ(shot.last_trip, shot.last_failure);
}

}  // namespace
}  // namespace poolwarden::pool
