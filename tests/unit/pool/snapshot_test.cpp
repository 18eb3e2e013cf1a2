// When a pool can serve, and when all of it counts as ready.

#include "pool/snapshot.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

PoolSnapshot pool_with(WorkerState state, bool essential = false) {
  auto settings = std::make_shared<PoolSettings>();
  settings->name = "web";
  settings->essential = essential;
  PoolSnapshot pool;
  pool.settings = settings;
  pool.state = PoolState::Running;
  pool.workers_desired = 1;
  pool.workers.emplace_back().state = state;
  return pool;
}

PoolSnapshot on_demand(std::uint32_t desired) {
  auto settings = std::make_shared<PoolSettings>();
  settings->start = StartMode::OnDemand;
  PoolSnapshot pool;
  pool.settings = settings;
  pool.state = PoolState::Running;
  pool.workers_desired = desired;
  return pool;
}

TEST(CanServe, NeedsAWorkerThatServes) {
  EXPECT_TRUE(can_serve(pool_with(WorkerState::Serving)));
  EXPECT_FALSE(can_serve(pool_with(WorkerState::Starting)));
  EXPECT_FALSE(can_serve(pool_with(WorkerState::Draining)));
}

TEST(CanServe, IsNotForAPoolOutOfService) {
  PoolSnapshot pool = pool_with(WorkerState::Serving);
  pool.disabled = DisabledReason::RapidFail;
  EXPECT_FALSE(can_serve(pool));
}

TEST(CanServe, CountsAPoolThatStartsWhenItIsAsked) {
  EXPECT_TRUE(can_serve(on_demand(0)));
  EXPECT_FALSE(can_serve(on_demand(1)));  // it was asked, and is not up yet
}

TEST(IsReady, AsksAllPoolsWhenNoneIsEssential) {
  Snapshot snapshot;
  EXPECT_TRUE(is_ready(snapshot));
  snapshot.pools = {pool_with(WorkerState::Serving), pool_with(WorkerState::Starting)};
  EXPECT_FALSE(is_ready(snapshot));
}

TEST(IsReady, DoesNotWaitForAPoolThatAReloadRemoved) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Serving), pool_with(WorkerState::Draining, true)};
  EXPECT_FALSE(is_ready(snapshot));
  snapshot.pools[1].removed = true;
  EXPECT_TRUE(is_ready(snapshot));
  snapshot.pools[0] = pool_with(WorkerState::Starting);
  EXPECT_FALSE(is_ready(snapshot));
}

TEST(IsReady, AsksOnlyTheEssentialPoolsWhenThereAreSome) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Serving, true), pool_with(WorkerState::Starting)};
  EXPECT_TRUE(is_ready(snapshot));
  snapshot.pools.push_back(pool_with(WorkerState::Starting, true));
  EXPECT_FALSE(is_ready(snapshot));
}

TEST(IsReady, EndsWhenTheSupervisorStops) {
  Snapshot snapshot;
  snapshot.stopping = true;
  EXPECT_FALSE(is_ready(snapshot));
  EXPECT_EQ(why_not_ready(snapshot), "the supervisor is stopping");
}

TEST(WhyNotReady, NamesThePoolsThatItIsFor) {
  Snapshot snapshot;
  snapshot.pools = {pool_with(WorkerState::Serving), pool_with(WorkerState::Starting)};
  EXPECT_EQ(why_not_ready(snapshot), "pool web: no worker is ready");
  PoolSnapshot tripped = pool_with(WorkerState::Starting, true);
  tripped.disabled = DisabledReason::RapidFail;
  tripped.disabled_because = "5 failures within 5m";
  snapshot.pools.push_back(tripped);
  EXPECT_EQ(why_not_ready(snapshot), "pool web: disabled (rapid_fail): 5 failures within 5m");
}

}  // namespace
}  // namespace poolwarden::pool
