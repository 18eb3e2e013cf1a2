// When a start is over, how long starts and stops take at most, and all pools in one line.

#include "pool/overview.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

PoolSnapshot pool_with(WorkerState state, const std::string& name = "web") {
  auto settings = std::make_shared<PoolSettings>();
  settings->name = name;
  settings->routes.push_back({});
  settings->worker.ready.timeout = 10s;
  PoolSnapshot pool;
  pool.settings = settings;
  pool.state = PoolState::Running;
  pool.workers_desired = 1;
  pool.workers.emplace_back().state = state;
  return pool;
}

PoolSettings& settings_of(PoolSnapshot& pool) {
  auto own = std::make_shared<PoolSettings>(*pool.settings);
  pool.settings = own;
  return *own;
}

TEST(IsStarted, WaitsForEveryPoolToServe) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Serving), pool_with(WorkerState::Starting)};
  EXPECT_FALSE(is_started(snapshot, 1s));
  snapshot.pools[1] = pool_with(WorkerState::Serving);
  EXPECT_TRUE(is_started(snapshot, 1s));
}

TEST(IsStarted, DoesNotWaitForAPoolOutOfService) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Starting)};
  snapshot.pools[0].disabled = DisabledReason::RapidFail;
  EXPECT_TRUE(is_started(snapshot, 1s));
}

TEST(IsStarted, GivesEachPoolItsOwnTime) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Starting), pool_with(WorkerState::Starting)};
  settings_of(snapshot.pools[1]).worker.ready.timeout = 20s;
  EXPECT_FALSE(is_started(snapshot, 19s));
  EXPECT_TRUE(is_started(snapshot, 20s));
  EXPECT_EQ(longest_start(snapshot), 20s);
  settings_of(snapshot.pools[1]).worker.ready.timeout = std::nullopt;
  EXPECT_FALSE(is_started(snapshot, kLongestStart - 1s));
  EXPECT_TRUE(is_started(snapshot, kLongestStart));
  EXPECT_EQ(longest_start(snapshot), kLongestStart);
}

TEST(LongestStop, IsTheSlowestDrainAndTheSlowestStop) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Serving), pool_with(WorkerState::Serving)};
  settings_of(snapshot.pools[0]).worker.stop.drain = 30s;
  settings_of(snapshot.pools[1]).worker.stop.timeout = 20s;
  EXPECT_EQ(longest_stop(snapshot), 50s);
  snapshot.shutdown_delay = 15s;
  EXPECT_EQ(longest_stop(snapshot), 65s);
  snapshot.shutdown_delay = 0s;
  settings_of(snapshot.pools[0]).worker.stop.drain = std::nullopt;
  EXPECT_EQ(longest_stop(snapshot), std::nullopt);
  settings_of(snapshot.pools[0]).routes.clear();  // then nothing is drained
  EXPECT_EQ(longest_stop(snapshot), 24s);
}

TEST(Summary, CountsAndNamesWhatDoesNotServe) {
  Snapshot snapshot;
  EXPECT_EQ(summary(snapshot), "0 pools serve");
  snapshot.pools = {pool_with(WorkerState::Serving)};
  EXPECT_EQ(summary(snapshot), "1 pool serves");
  snapshot.pools.push_back(pool_with(WorkerState::Starting, "api"));
  EXPECT_EQ(summary(snapshot), "1 of 2 pools serve; pool api: no worker is ready");
  snapshot.pools[1].removed = true;
  EXPECT_EQ(summary(snapshot), "1 pool serves");
  snapshot.stopping = true;
  EXPECT_EQ(summary(snapshot), "stopping");
}

}  // namespace
}  // namespace poolwarden::pool
