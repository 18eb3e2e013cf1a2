#include "pool/snapshot.h"

#include <algorithm>

namespace poolwarden::pool {

bool can_serve(const PoolSnapshot& pool) {
  if (pool.disabled || pool.state == PoolState::Stopping) return false;
  const bool has_worker =
      std::any_of(pool.workers.begin(), pool.workers.end(), [](const WorkerSnapshot& worker) {
        return worker.state == WorkerState::Serving || worker.state == WorkerState::Suspending ||
               worker.state == WorkerState::Suspended;
      });
  // A pool that wants no worker now gets one by the next request.
  const bool waits_for_demand = pool.state == PoolState::Running && pool.workers_desired == 0;
  return has_worker || waits_for_demand;
}

bool is_ready(const Snapshot& snapshot) {
  if (snapshot.stopping) return false;
  const auto is_essential = [](const PoolSnapshot& pool) {
    return pool.settings != nullptr && pool.settings->essential && !pool.removed;
  };
  const bool some_essential =
      std::any_of(snapshot.pools.begin(), snapshot.pools.end(), is_essential);
  return std::all_of(snapshot.pools.begin(), snapshot.pools.end(), [&](const PoolSnapshot& pool) {
    return pool.removed || can_serve(pool) || (some_essential && !is_essential(pool));
  });
}

}  // namespace poolwarden::pool
