// What hangs is looked at before it is ended, once.

#include "unit/pool/pool_watching.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<WorkerId> examined(const Decision& decision) {
  return told_to<ExamineWorker>(decision);
}

// The place of the first action of a kind; behind the last one when there is none.
template <typename Kind>
std::size_t place_of(const Decision& decision) {
  std::size_t at = 0;
  while (at < decision.actions.size() && !std::holds_alternative<Kind>(decision.actions[at])) ++at;
  return at;
}

PoolSettings with_pings() {
  PoolSettings settings = web();
  settings.health.ping.http_path = "/healthz";
  settings.health.ping.timeout = 10s;
  return settings;
}

TEST(Examination, ComesBeforeTheKillOfAWorkerThatIsNotReadyInTime) {
  PoolSettings settings = web();
  settings.worker.ready.timeout = 10s;
  Bench bench(settings);
  bench.begin();
  const Decision decision = bench.tick_after(10s);
  EXPECT_EQ(examined(decision), ids({1}));
  EXPECT_EQ(killed(decision), ids({1}));
  EXPECT_LT(place_of<ExamineWorker>(decision), place_of<KillWorker>(decision));
}

TEST(Examination, ComesBeforeThePatientIsGivenUp) {
  Bench bench(with_pings());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  const Decision found = bench.tick_after(10s);
  EXPECT_EQ(examined(found), ids({1}));
  EXPECT_LT(place_of<ExamineWorker>(found), place_of<DrainWorker>(found));
  const Decision late = bench.tick_after(4s);
  EXPECT_EQ(signals(late), (std::vector<int>{SIGABRT}));
  EXPECT_THAT(examined(late), IsEmpty()) << "it has been looked at";
  EXPECT_THAT(examined(bench.tick_after(5s)), IsEmpty());
}

TEST(Examination, ComesBeforeTheKillOfAWorkerThatDoesNotStop) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  bench.drained(1);
  const Decision decision = bench.tick_after(*bench.until_next());
  EXPECT_EQ(examined(decision), ids({1}));
  EXPECT_LT(place_of<ExamineWorker>(decision), place_of<KillWorker>(decision));
}

TEST(Examination, IsMadeForARequestThatTakesTooLongAndForADeadlock) {
  PoolSettings settings = web(2);
  settings.health.request_timeout = 30s;
  settings.health.deadlock_after = 10s;
  Bench bench(settings);
  bench.serve(1, 2);
  EXPECT_EQ(examined(bench.pool.request_timed_out(WorkerId{1}, bench.now)), ids({1}));
  look(bench, 100, {{2, busy(32)}});
  EXPECT_EQ(examined(bench.tick_after(10s)), ids({2}));
}

TEST(Examination, IsMadeOfWhomIsKeptAside) {
  PoolSettings settings = with_pings();
  settings.orphan.keep = true;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  EXPECT_EQ(examined(bench.tick_after(10s)), ids({1}));
}

TEST(Examination, IsNotMadeOfAWorkerThatObeys) {
  Bench bench(web());
  bench.serve(1, 1);
  EXPECT_THAT(examined(bench.stop()), IsEmpty());
  EXPECT_THAT(examined(bench.drained(1)), IsEmpty());
}

TEST(Examination, IsNotMadeWhereADebuggerIsAttached) {
  Bench bench(with_pings());
  bench.serve(1, 1);
  bench.pool.ping_begun(WorkerId{1}, bench.now);
  bench.now += 10s;
  bench.pool.traced(WorkerId{1}, true);
  EXPECT_THAT(examined(bench.tick_after(0s)), IsEmpty());
}

std::shared_ptr<const diagnosis::Certificate> certificate_of(const Decision& decision) {
  return std::get<ExitDetails>(decision.events.at(0).details).certificate;
}

TEST(Certificate, NamesTheReasonOfARecycle) {
  Bench bench(web(2));
  bench.serve(1, 2);
  EXPECT_EQ(certificate_of(bench.exits(1, kCrash))->recycle_reason, "");
  bench.ready(3);
  bench.recycle(1, RecycleReason::Memory);
  bench.ready(4);
  bench.drained(2);
  const auto second = certificate_of(bench.exits(2, kStoppedWell));
  EXPECT_EQ(second->recycle_reason, "memory");
  EXPECT_EQ(certificate_of(bench.exits(3, kCrash))->recycle_reason, "");
}

}  // namespace
}  // namespace poolwarden::pool
