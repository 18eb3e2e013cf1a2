// Workers that hang: found by pings, by requests that wait, by one that takes too long.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

PoolSettings pinged(Duration timeout = 10s) {
  PoolSettings settings = web();
  settings.health.ping.http_path = "/healthz";
  settings.health.ping.timeout = timeout;
  return settings;
}

TEST(Ping, ThatIsAnsweredInTimeHarmsNobody) {
  Bench bench(pinged());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  EXPECT_EQ(bench.until_next(), Duration(10s));
  bench.now += 9s;
  bench.pool.ping_ended(WorkerId{1}, {worker::PingResult::Answered}, bench.now);
  EXPECT_TRUE(is_empty(bench.tick_after(1min)));
}

TEST(Ping, ThatFailsIsTriedAgainUntilTheTimeout) {
  Bench bench(pinged());
  bench.serve(1, 1);
  for (int tries = 0; tries < 9; ++tries) {
    bench.pool.ping_begun(WorkerId{1}, bench.now);
    bench.pool.ping_ended(WorkerId{1}, {worker::PingResult::BadStatus}, bench.now);
    EXPECT_TRUE(is_empty(bench.tick_after(1s)));
  }
  const Decision decision = bench.tick_after(1s);
  EXPECT_THAT(kinds(decision), Contains(EventKind::WorkerUnhealthy));
}

// What worker.unhealthy says of a worker whose ping was answered so, again and again.
std::string told_after(const std::vector<worker::PingAnswer>& answers) {
  Bench bench(pinged());
  bench.serve(1, 1);
  for (const worker::PingAnswer& answer : answers) {
    bench.pool.ping_begun(WorkerId{1}, bench.now);
    bench.pool.ping_ended(WorkerId{1}, answer, bench.now);
    bench.now += 1s;
  }
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  const Decision decision = bench.tick_after(10s);
  const Event* told = event(decision, EventKind::WorkerUnhealthy);
  return told ? told->sentence : "";
}

TEST(Ping, ThatFailedIsToldWithItsAnswer) {
  const worker::PingAnswer well{}, refused{worker::PingResult::Io};
  const worker::PingAnswer bad{worker::PingResult::BadStatus, {}, 500};
  const std::string limit = "for health.ping.timeout (10s)";
  EXPECT_EQ(told_after({}), "has answered no ping " + limit);
  EXPECT_EQ(told_after({refused}), "has answered no ping " + limit);
  EXPECT_EQ(told_after({refused, bad}), "has answered its pings with 500 " + limit);
  EXPECT_EQ(told_after({bad, refused}),
            "has answered its pings with 500, and then not at all, " + limit);
  EXPECT_EQ(told_after({bad, well}), "has answered no ping " + limit) << "that is over";
}

TEST(Ping, IsNotWhatAWorkerFailedThatDidNotSendItsWatchdog) {
  PoolSettings settings = pinged();
  settings.health.ping.notify = true;
  Bench bench(settings);
  bench.serve(1, 1);
  const Decision decision = bench.tick_after(10s);
  EXPECT_EQ(event(decision, EventKind::WorkerUnhealthy)->sentence,
            "has not sent WATCHDOG=1 for health.ping.timeout (10s)");
}

TEST(UnhealthyWorker, GetsNothingMoreAndIsReplacedAtOnce) {
  Bench bench(pinged());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  const Decision decision = bench.tick_after(10s);
  EXPECT_EQ(drained(decision), ids({1}));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Draining);
  // What it has in flight may get done: it has stop.drain for that.
  EXPECT_THAT(signals(decision), IsEmpty());
  const Decision late = bench.tick_after(4s);
  EXPECT_EQ(signals(late), (std::vector<int>{SIGABRT}));
  EXPECT_EQ(told_to<AbandonWorker>(late), ids({1}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Stopping);
  // It has stop.timeout to write a stack, then its tree is killed.
  EXPECT_EQ(killed(bench.tick_after(5s)), ids({1}));
  const Decision end = bench.exits(1, Signaled{SIGKILL});
  EXPECT_EQ(event(end, EventKind::WorkerExited)->sentence,
            "did not answer its pings within health.ping.timeout (10s) and was ended");
  EXPECT_FALSE(counts(end)) << "it was counted when it was found";
  EXPECT_THAT(spawned(end), IsEmpty());
}

TEST(UnhealthyWorker, WithNothingInFlightIsEndedAtOnce) {
  Bench bench(pinged());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  bench.tick_after(10s);
  EXPECT_EQ(signals(bench.drained(1)), (std::vector<int>{SIGABRT}));
}

TEST(UnhealthyWorker, CountsTowardRapidFailOnce) {
  PoolSettings settings = pinged();
  settings.rapid_fail.failures = 2;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  EXPECT_EQ(spawned(bench.tick_after(10s)), ids({2}));
  bench.exits(1, Signaled{SIGABRT});
  bench.ready(2);
  EXPECT_EQ(bench.snapshot().window_failures, 1u);
  bench.pool.ping_begun(WorkerId{2}, bench.now);
  const Decision decision = bench.tick_after(10s);
  EXPECT_TRUE(tells(decision, EventKind::PoolRapidFail));
  EXPECT_THAT(spawned(decision), IsEmpty());
}

TEST(UnhealthyWorker, WithADebuggerIsLeftAlone) {
  Bench bench(pinged());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  bench.now += 10s;
  EXPECT_EQ(bench.pool.suspects(bench.now), ids({1}));
  bench.pool.traced(WorkerId{1}, true);
  EXPECT_THAT(kinds(bench.tick_after(0s)), ElementsAre(EventKind::WorkerUnhealthyIgnored));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  // Told once; without the debugger it is found again.
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  EXPECT_TRUE(is_empty(bench.tick_after(10s)));
  bench.pool.traced(WorkerId{1}, false);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  EXPECT_TRUE(tells(bench.tick_after(10s), EventKind::WorkerUnhealthy));
}

TEST(Watchdog, CountsFromReadiness) {
  PoolSettings settings = web();
  settings.health.ping.notify = true;
  settings.health.ping.timeout = 10s;
  Bench bench(settings);
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.tick_after(9s)));
  bench.pool.ping_ended(WorkerId{1}, {worker::PingResult::Answered}, bench.now);
  EXPECT_TRUE(is_empty(bench.tick_after(9s)));
  EXPECT_TRUE(tells(bench.tick_after(1s), EventKind::WorkerUnhealthy));
}

TEST(Deadlock, NeedsRequestsThatWait) {
  Bench bench(web());
  bench.serve(1, 1);
  const WorkerObservation stuck = busy(32);
  look(bench, 0, {{1, stuck}});
  EXPECT_EQ(bench.until_next(), std::nullopt);
  look(bench, 100, {{1, stuck}});
  EXPECT_EQ(bench.until_next(), Duration(3min));
  bench.now += 2min;
  look(bench, 0, {{1, stuck}});  // the queue was empty in between
  EXPECT_EQ(bench.until_next(), std::nullopt);
  look(bench, 100, {{1, stuck}});
  EXPECT_TRUE(is_empty(bench.tick_after(3min - 1ms)));
  const Decision decision = bench.tick_after(1ms);
  EXPECT_TRUE(tells(decision, EventKind::WorkerUnhealthy));
  EXPECT_EQ(spawned(decision), ids({2}));
}

TEST(Deadlock, IsNotFoundAgainWithinTheCooldown) {
  PoolSettings settings = web();
  settings.health.deadlock_after = 10s;
  settings.health.deadlock_cooldown = 1min;
  Bench bench(settings);
  bench.serve(1, 1);
  look(bench, 100, {{1, busy(32)}});
  EXPECT_EQ(spawned(bench.tick_after(10s)), ids({2}));
  bench.exits(1, Signaled{SIGABRT});
  bench.ready(2);
  look(bench, 100, {{2, busy(32)}});
  EXPECT_EQ(bench.until_next(), Duration(1min));
  EXPECT_EQ(spawned(bench.tick_after(1min)), ids({3}));
}

TEST(Deadlock, IsNoMatterOfAWorkerThatLeaves) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.recycle();
  bench.ready(2);
  // A slow upload, or an answer that takes its time: it has it, whoever waits for the other.
  look(bench, 100, {{1, busy(1)}, {2, WorkerObservation{}}});
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));
}

TEST(Reconfigured, WorkersAreHeldToThePingsThatTheyWereStartedWith) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.now += 1h;
  PoolSettings settings = web();
  settings.health.ping.notify = true;
  bench.pool.reconfigure(std::make_shared<const PoolSettings>(settings), false, bench.now);
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));
}

TEST(PausedSupervisor, JudgesNobodyByWhatItDidNotHear) {
  PoolSettings settings = web();
  settings.health.ping.notify = true;
  settings.health.ping.timeout = 10s;
  Bench bench(settings);
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));  // the container was paused
  EXPECT_TRUE(is_empty(bench.tick_after(10s - 1ms)));
  EXPECT_TRUE(tells(bench.tick_after(1ms), EventKind::WorkerUnhealthy));
}

TEST(PausedSupervisor, JudgesNobodyWhenItIsLateByHalfOfAShortTimeout) {
  PoolSettings settings = web();
  settings.health.ping.notify = true;
  settings.health.ping.timeout = 1s;
  Bench bench(settings);
  bench.serve(1, 1);
  EXPECT_TRUE(is_empty(bench.tick_after(1501ms)));
  EXPECT_TRUE(tells(bench.tick_after(1500ms), EventKind::WorkerUnhealthy));
}

TEST(PausedSupervisor, FindsNoDeadlockWhenItIsLateByHalfOfAShortLimit) {
  PoolSettings settings = web();
  settings.health.deadlock_after = 1s;
  Bench bench(settings);
  bench.serve(1, 1);
  look(bench, 100, {{1, busy(32)}});
  EXPECT_TRUE(is_empty(bench.tick_after(1501ms)));
  look(bench, 100, {{1, busy(32)}});
  EXPECT_TRUE(tells(bench.tick_after(1500ms), EventKind::WorkerUnhealthy));
}

TEST(UnhealthyWorker, IsEndedAlsoWhereDrainsHaveNoLimit) {
  PoolSettings settings = pinged();
  settings.worker.stop.drain = std::nullopt;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  bench.tick_after(10s);
  EXPECT_EQ(signals(bench.tick_after(4s)), (std::vector<int>{SIGABRT}));
}

TEST(UnhealthyWorker, ThatIsBeingRecycledInPlaceLeavesNothingBehind) {
  PoolSettings settings = pinged();
  settings.recycle.overlapped = false;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.recycle();
  bench.pool.request_timed_out(WorkerId{1}, bench.now);
  bench.drained(1);
  EXPECT_EQ(spawned(bench.exits(1, Signaled{SIGABRT})), ids({2}));
  bench.ready(2);
  EXPECT_TRUE(bench.progress().finished());
  EXPECT_EQ(drained(bench.recycle()), ids({2}));
}

TEST(RequestTimeout, LetsOtherRequestsOfTheWorkerEnd) {
  PoolSettings settings = web();
  settings.health.request_timeout = 30s;
  Bench bench(settings);
  bench.serve(1, 1);
  const Decision decision = bench.pool.request_timed_out(WorkerId{1}, bench.now);
  EXPECT_EQ(drained(decision), ids({1}));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_THAT(signals(decision), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Draining);
  EXPECT_TRUE(is_empty(bench.pool.request_timed_out(WorkerId{1}, bench.now)));
  EXPECT_EQ(signals(bench.drained(1)), (std::vector<int>{SIGABRT}));
}

TEST(SelfReport, RecyclesTheWorkerGracefully) {
  Bench bench(web());
  bench.serve(1, 1);
  const Decision decision =
      bench.pool.worker_reports_unhealthy(WorkerId{1}, "out of handles", bench.now);
  EXPECT_EQ(recycle_reasons(decision), (std::vector{RecycleReason::WorkerRequest}));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_TRUE(
      is_empty(bench.pool.worker_reports_unhealthy(WorkerId{1}, "out of handles", bench.now)));
}

PoolSettings with_orphans() {
  PoolSettings settings = pinged();
  settings.orphan.keep = true;
  settings.orphan.action = {"gcore", "${PID}"};
  return settings;
}

void find_unhealthy(Bench& bench, std::uint64_t id) {
  bench.pool.ping_begun(WorkerId{id}, bench.now);
}

TEST(Orphan, IsKeptAndReplaced) {
  Bench bench(with_orphans());
  bench.serve(1, 1);
  bench.pool.worker_spawned(WorkerId{1}, 4711);
  find_unhealthy(bench, 1);
  const Decision decision = bench.tick_after(10s);
  EXPECT_EQ(told_to<AbandonWorker>(decision), ids({1}));
  EXPECT_EQ(spawned(decision), ids({2}));
  EXPECT_THAT(signals(decision), IsEmpty());
  ASSERT_NE(hook(decision), nullptr);
  EXPECT_EQ(hook(decision)->environment.at("PID"), "4711");
  EXPECT_EQ(bench.state_of(1), WorkerState::Orphaned);
  bench.ready(2);
  EXPECT_TRUE(is_empty(bench.tick_after(1h)));
  EXPECT_THAT(retired(bench.exits(1, Signaled{SIGKILL})), IsEmpty());
}

TEST(Orphan, OutlivesTheReadinessOfItsSuccessor) {
  Bench bench(with_orphans());
  bench.serve(1, 1);
  bench.recycle();  // 2 is to replace 1
  find_unhealthy(bench, 1);
  bench.tick_after(10s);
  EXPECT_THAT(killed(bench.ready(2)), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Orphaned);
  EXPECT_TRUE(bench.progress().finished());
  EXPECT_EQ(spawned(bench.recycle()), ids({3})) << "it holds up nobody";
}

TEST(Orphan, ThatEndsIsNoFailure) {
  Bench bench(with_orphans());
  bench.serve(1, 1);
  find_unhealthy(bench, 1);
  bench.tick_after(10s);
  bench.ready(2);
  const Decision end = bench.exits(1, Signaled{SIGKILL});
  EXPECT_THAT(kinds(end), ElementsAre(EventKind::WorkerStopped));
}

TEST(Orphan, IsNotKeptBesideAsManyAsAllowed) {
  Bench bench(with_orphans());
  bench.serve(1, 1);
  find_unhealthy(bench, 1);
  bench.tick_after(10s);
  bench.ready(2);
  find_unhealthy(bench, 2);
  EXPECT_THAT(told_to<AbandonWorker>(bench.tick_after(10s)), IsEmpty());
  EXPECT_EQ(bench.state_of(2), WorkerState::Draining);
}

TEST(Orphan, HasNoSuccessorInAPoolThatStops) {
  PoolSettings settings = with_orphans();
  settings.rapid_fail.failures = std::nullopt;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.exits(1, kCrash);
  bench.exits(2, kCrash);
  EXPECT_EQ(spawned(bench.tick_after(1min)), ids({3})) << "its slot is one that waits";
  bench.ready(3);
  bench.stop();
  const Decision decision = bench.pool.request_timed_out(WorkerId{3}, bench.now);
  EXPECT_FALSE(counts(decision));
  EXPECT_EQ(bench.state_of(3), WorkerState::Orphaned);
  EXPECT_THAT(spawned(bench.tick_after(1h)), IsEmpty());
}

TEST(Orphan, OutlivesAStopOfItsPoolButNotTheSupervisor) {
  Bench bench(with_orphans());
  bench.serve(1, 1);
  find_unhealthy(bench, 1);
  bench.tick_after(10s);
  bench.ready(2);
  bench.stop();
  bench.drained(2);
  bench.exits(2, kStoppedWell);
  EXPECT_EQ(bench.pool.state(), PoolState::Stopped);
  EXPECT_EQ(bench.state_of(1), WorkerState::Orphaned);
  EXPECT_EQ(killed(bench.shut_down()), ids({1}));
}

}  // namespace
}  // namespace poolwarden::pool
