// Starts that are debugged: whose turn it is, how long that one has, that the next one is as ever.

#include "pool/debugging.h"

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using DebugWay = Pool::DebugWay;

DebugStart strace() { return {"strace", {"strace", "-D"}, {{"LC_ALL", "C"}}, 10}; }

Pool::DebugAnswer debug(Bench& bench, DebugStart start = strace(),
                        std::optional<std::uint32_t> slot = std::nullopt) {
  auto answer = bench.pool.debug(std::move(start), slot, bench.now);
  EXPECT_TRUE(answer.has_value());
  return answer ? *answer : Pool::DebugAnswer{};
}

std::vector<std::vector<std::string>> wrappers(const Decision& decision) {
  std::vector<std::vector<std::string>> found;
  for (const Action& action : decision.actions) {
    if (const auto* todo = std::get_if<SpawnWorker>(&action)) found.push_back(todo->wrapper);
  }
  return found;
}

std::string tool_of_end(const Decision& decision) {
  for (const Event& each : decision.events) {
    if (const auto* details = std::get_if<ExitDetails>(&each.details))
      return details->certificate->debug_tool;
  }
  return "";
}

const std::vector<std::string> kPlain;
const std::vector<std::string> kWrapped = {"strace", "-D"};

TEST(Debugging, WrapsTheNextWorkerAndNoOtherOne) {
  Debugging debugging;
  EXPECT_FALSE(debugging.taken_by(WorkerId{1}, 0));
  const DebugId id = debugging.order(strace());
  EXPECT_TRUE(debugging.is_waiting());
  EXPECT_EQ(debugging.standing(id)->stage, DebugStage::Waiting);
  EXPECT_EQ(debugging.taken_by(WorkerId{2}, 0)->tool, "strace");
  EXPECT_FALSE(debugging.taken_by(WorkerId{3}, 0));
  EXPECT_EQ(debugging.standing(id)->stage, DebugStage::Carried);
  EXPECT_EQ(debugging.standing(id)->worker, WorkerId{2});
  debugging.worker_ended(WorkerId{3});
  EXPECT_EQ(debugging.standing(id)->stage, DebugStage::Carried);
  debugging.worker_ended(WorkerId{2});
  EXPECT_EQ(debugging.standing(id)->stage, DebugStage::Ended);
}

TEST(Debugging, IsWithdrawnByASecondOrderAndByHand) {
  Debugging debugging;
  const DebugId first = debugging.order(strace());
  const DebugId second = debugging.order({"gdb", {}, {}, 10});
  EXPECT_EQ(debugging.standing(first)->stage, DebugStage::Withdrawn);
  EXPECT_TRUE(debugging.withdraw());
  EXPECT_FALSE(debugging.withdraw());
  EXPECT_EQ(debugging.standing(second)->stage, DebugStage::Withdrawn);
  EXPECT_FALSE(debugging.taken_by(WorkerId{1}, 0));
}

TEST(Debugging, WaitsForTheSlotThatItNames) {
  Debugging debugging;
  const DebugId id = debugging.order(strace(), 2);
  EXPECT_FALSE(debugging.taken_by(WorkerId{1}, 0));
  EXPECT_EQ(debugging.standing(id)->stage, DebugStage::Waiting);
  EXPECT_TRUE(debugging.taken_by(WorkerId{2}, 2));
  debugging.order(strace());
  EXPECT_TRUE(debugging.taken_by(WorkerId{3}, 0))
      << "the one before named a slot, this one does not";
}

TEST(Debugging, ForgetsOrdersOfLongAgo) {
  Debugging debugging;
  const DebugId first = debugging.order(strace());
  for (int i = 0; i < 100; ++i) debugging.order(strace());
  EXPECT_FALSE(debugging.standing(first));
}

TEST(Debugging, ForgetsNoOrderThatAWorkerCarries) {
  Debugging debugging;
  const DebugId carried = debugging.order(strace());
  ASSERT_TRUE(debugging.taken_by(WorkerId{1}, 0));
  for (int i = 0; i < 100; ++i) debugging.order(strace());
  ASSERT_TRUE(debugging.standing(carried));
  EXPECT_EQ(debugging.standing(carried)->worker, WorkerId{1});
  EXPECT_FALSE(debugging.is_over(carried));
  debugging.worker_ended(WorkerId{1});
  EXPECT_TRUE(debugging.is_over(carried));
  for (int i = 0; i < 100; ++i) debugging.order(strace());
  EXPECT_FALSE(debugging.standing(carried));
  EXPECT_TRUE(debugging.is_over(carried)) << "it is forgotten";
}

TEST(Debugging, IsNotOverWhileItWaits) {
  Debugging debugging;
  const DebugId id = debugging.order(strace());
  EXPECT_FALSE(debugging.is_over(id));
  debugging.withdraw();
  EXPECT_TRUE(debugging.is_over(id));
}

TEST(Debugging, LengthensTheStartupLimitOrLiftsIt) {
  EXPECT_EQ(ready_limit(std::nullopt, Duration(90s)), Duration(90s));
  EXPECT_EQ(ready_limit(strace(), Duration(90s)), Duration(900s));
  EXPECT_EQ(ready_limit(strace(), std::nullopt), std::nullopt);
  DebugStart start = strace();
  start.patience.reset();
  EXPECT_EQ(ready_limit(start, Duration(90s)), std::nullopt);
  EXPECT_GT(ready_limit(strace(), Duration::max()), Duration(0s));
}

TEST(DebuggedPool, KeepsTheOldWorkerUntilTheDebuggedOneIsReady) {
  Bench bench(web(2));
  bench.serve(1, 2);
  const auto answer = debug(bench);
  EXPECT_EQ(answer.way, DebugWay::Recycle);
  EXPECT_THAT(wrappers(answer.decision), ElementsAre(kWrapped));
  EXPECT_TRUE(tells(answer.decision, EventKind::WorkerDebugged));
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_EQ(bench.state_of(2), WorkerState::Serving);
  EXPECT_EQ(drained(bench.ready(3)), ids({1}));
}

TEST(DebuggedPool, TakesTheWorkerThatIsNamed) {
  Bench bench(web(2));
  bench.serve(1, 2);
  debug(bench, strace(), 1);
  EXPECT_EQ(drained(bench.ready(3)), ids({2}));
  EXPECT_FALSE(bench.pool.debug(strace(), 2, bench.now).has_value());
}

// Worker 1 drains before its slot is free; meanwhile the other one crashes.
TEST(DebuggedPool, IsNotTakenByAWorkerOfAnotherSlot) {
  PoolSettings settings = web(2);
  settings.recycle.overlapped = false;
  Bench bench(settings);
  bench.serve(1, 2);
  const auto answer = debug(bench, strace(), 1);
  EXPECT_EQ(drained(answer.decision), ids({2}));
  EXPECT_THAT(wrappers(bench.exits(1, kCrash)), ElementsAre(kPlain));
  EXPECT_EQ(bench.pool.debugging(answer.id)->stage, DebugStage::Waiting);
  bench.drained(2);
  EXPECT_THAT(wrappers(bench.exits(2, kStoppedWell)), ElementsAre(kWrapped));
}

TEST(DebuggedPool, StartsTheNextWorkerAsEver) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 1;
  Bench bench(settings);
  bench.begin();
  debug(bench);
  // It is for the next start, not for the one under way.
  bench.ready(1);
  const auto answer = debug(bench);
  EXPECT_THAT(wrappers(answer.decision), ElementsAre(kWrapped));
  bench.ready(2);
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  const Decision end = bench.exits(2, kCrash);
  EXPECT_EQ(tool_of_end(end), "strace");
  EXPECT_THAT(wrappers(end), ElementsAre(kPlain));
  EXPECT_FALSE(tells(end, EventKind::WorkerDebugged));
  EXPECT_EQ(bench.pool.debugging(answer.id)->stage, DebugStage::Ended);
}

TEST(DebuggedPool, CountsNothingTowardRapidFail) {
  PoolSettings settings = web();
  settings.rapid_fail.failures = 1;
  Bench bench(settings);
  bench.pool.debug(strace(), std::nullopt, bench.now).value();
  EXPECT_THAT(wrappers(bench.begin()), ElementsAre(kWrapped));
  const Decision end = bench.exits(1, kCrash);
  EXPECT_FALSE(counts(end));
  EXPECT_EQ(bench.pool.disabled(), std::nullopt);
  EXPECT_THAT(wrappers(end), ElementsAre(kPlain));
  EXPECT_TRUE(counts(bench.exits(2, kCrash)));
  EXPECT_EQ(bench.pool.disabled(), DisabledReason::RapidFail);
}

TEST(DebuggedPool, ThatIsStoppedDebugsWhenItStarts) {
  Bench bench(web());
  bench.serve(1, 1);
  bench.stop();
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  const auto answer = debug(bench);
  EXPECT_EQ(answer.way, DebugWay::WhenStarted);
  EXPECT_THAT(spawned(answer.decision), IsEmpty());
  EXPECT_THAT(wrappers(bench.start()), ElementsAre(kWrapped));
}

TEST(DebuggedPool, ThatWaitsAfterAFailureNeedNotWaitForThis) {
  Bench bench(web());
  bench.begin();
  bench.exits(1, kCrash);
  bench.exits(2, kCrash);
  ASSERT_GT(*bench.until_next(), Duration::zero());
  const auto answer = debug(bench);
  EXPECT_EQ(answer.way, DebugWay::NextStart);
  EXPECT_EQ(bench.until_next(), Duration::zero());
  EXPECT_THAT(wrappers(bench.tick_after(0s)), ElementsAre(kWrapped));
}

TEST(DebuggedPool, GivesADebuggerAsLongAsItTakes) {
  Bench bench(web());
  bench.serve(1, 1);
  DebugStart start = {"gdbserver", {"gdbserver"}, {}, std::nullopt};
  const auto answer = debug(bench, start);
  EXPECT_THAT(event(answer.decision, EventKind::WorkerDebugged)->sentence,
              HasSubstr("as long as it takes"));
  EXPECT_EQ(bench.until_next(), std::nullopt);
}

TEST(DebuggedPool, TellsOfAStartThatTookTooLongByItsOwnNumber) {
  Bench bench(web());
  bench.serve(1, 1);
  debug(bench);
  EXPECT_THAT(killed(bench.tick_after(899s)), IsEmpty());
  const Decision late = bench.tick_after(1s);
  EXPECT_EQ(killed(late), ids({2}));
  EXPECT_TRUE(tells(late, EventKind::WorkerDebugTimeout));
  EXPECT_EQ(was_number(*event(late, EventKind::WorkerDebugTimeout)), 5209);
}

TEST(DebuggedPool, CallsOffAStartThatIsUnderWayAndKeepsTheOldWorker) {
  Bench bench(web());
  bench.serve(1, 1);
  debug(bench);
  EXPECT_TRUE(bench.pool.is_debugging());
  EXPECT_EQ(stopped(bench.pool.stop_debugging(bench.now)), ids({2}));
  const Decision end = bench.exits(2, kStoppedWell);
  EXPECT_FALSE(tells(end, EventKind::RecycleFailed));
  EXPECT_THAT(spawned(end), IsEmpty());
  EXPECT_EQ(bench.state_of(1), WorkerState::Serving);
  EXPECT_FALSE(bench.pool.is_debugging());
  EXPECT_EQ(spawned(bench.recycle()), ids({3}));  // nothing holds up the next one
}

TEST(DebuggedPool, TheEndOfAStartThatWasCalledOffDoesNotEndTheNextRecycle) {
  Bench bench(web());
  bench.serve(1, 1);
  debug(bench);
  bench.pool.stop_debugging(bench.now);
  EXPECT_EQ(spawned(bench.recycle()), ids({3}));
  const Decision end = bench.exits(2, kStoppedWell);
  EXPECT_FALSE(tells(end, EventKind::RecycleFailed));
  EXPECT_THAT(spawned(end), IsEmpty());
  EXPECT_EQ(drained(bench.ready(3)), ids({1}));
}

TEST(DebuggedPool, CallsOffAnOrderThatWaits) {
  PoolSettings settings = web();
  settings.recycle.at_once = 1;
  Bench bench(settings);
  bench.serve(1, 1);
  bench.recycle();
  debug(bench);  // of the replacement that is under way: there is no other worker
  EXPECT_TRUE(bench.pool.is_debugging());
  bench.pool.stop_debugging(bench.now);
  EXPECT_FALSE(bench.pool.is_debugging());
  bench.ready(2);
  bench.drained(1);
  EXPECT_THAT(wrappers(bench.exits(1, kStoppedWell)), IsEmpty());
}

TEST(DebuggedPool, ReplacesAServingWorkerByAPlainOneWhenItIsCalledOff) {
  Bench bench(web());
  bench.serve(1, 1);
  debug(bench);
  bench.ready(2);
  bench.drained(1);
  bench.exits(1, kStoppedWell);
  EXPECT_THAT(wrappers(bench.pool.stop_debugging(bench.now)), ElementsAre(kPlain));
}

TEST(DebuggedPool, TellsOfAToolThatCannotBeUsed) {
  const Bench bench(web());
  const Decision told = bench.pool.debugger_failed("gdb is not installed");
  const Event* failed = event(told, EventKind::DebuggerFailed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(was_number(*failed), 5208);
  EXPECT_EQ(failed->sentence, "gdb is not installed");
}

}  // namespace
}  // namespace poolwarden::pool
