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

std::string why_not_serving(const PoolSnapshot& pool) {
  if (can_serve(pool)) return "";
  if (pool.disabled)
    return "disabled (" + std::string(name(*pool.disabled)) + "): " + pool.disabled_because;
  if (pool.state != PoolState::Running) return std::string(name(pool.state));
  return "no worker is ready";
}

std::string why_not_ready(const Snapshot& snapshot) {
  if (snapshot.stopping) return "the supervisor is stopping";
  const auto is_essential = [](const PoolSnapshot& pool) {
    return pool.settings != nullptr && pool.settings->essential && !pool.removed;
  };
  const bool some_essential =
      std::any_of(snapshot.pools.begin(), snapshot.pools.end(), is_essential);
  std::string why;
  for (const PoolSnapshot& pool : snapshot.pools) {
    const bool counts = !pool.removed && (is_essential(pool) || !some_essential);
    if (!counts || can_serve(pool)) continue;
    const std::string who = pool.settings ? "pool " + pool.settings->name : "a pool";
    why += (why.empty() ? "" : "; ") + who + ": " + why_not_serving(pool);
  }
  return why;
}

bool is_ready(const Snapshot& snapshot) { return why_not_ready(snapshot).empty(); }

}  // namespace poolwarden::pool
