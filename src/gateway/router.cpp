#include "gateway/router.h"

#include <algorithm>

namespace poolwarden::gateway {

Router::Router(asio::io_context& io, link::Scoreboard& board, Tell tell)
    : io_(io), board_(board), tell_(std::move(tell)) {}

PoolGate* Router::find(std::string_view host, std::string_view path) const {
  const std::optional<std::size_t> index = routes_.match(host, path);
  return index ? routed_[*index] : nullptr;
}

Router::Pool* Router::find_pool(std::string_view name) {
  const auto found = std::find_if(pools_.begin(), pools_.end(), [&](const Pool& pool) {
    return !pool.removed && pool.gate->name() == name;
  });
  return found == pools_.end() ? nullptr : &*found;
}

bool Router::was_removed(std::string_view name) const {
  return std::any_of(pools_.begin(), pools_.end(),
                     [&](const Pool& pool) { return pool.removed && pool.gate->name() == name; });
}

Result<void> Router::add_pool(const link::PoolAdded& pool) {
  if (pool.board_slot >= link::kMaxPools) {
    return failure("cannot add pool " + pool.pool + ": row " + std::to_string(pool.board_slot) +
                   " is not on the scoreboard");
  }
  Pool* known = find_pool(pool.pool);
  if (known != nullptr) known->gate->change_settings(pool);
  (known != nullptr ? *known : make_pool(pool)).routes = pool.routes;
  return {};
}

// As a worker's row: it counts from 0 for each pool that comes to it.
Router::Pool& Router::make_pool(const link::PoolAdded& pool) {
  link::PoolRow& row = board_.pools[pool.board_slot];
  const auto [owner, is_first] = owner_of_pool_row_.try_emplace(pool.board_slot, pool.pool);
  if (!is_first && owner->second != pool.pool) row.clear_counters();
  owner->second = pool.pool;
  Pool& made = pools_.emplace_back();
  made.gate = std::make_unique<PoolGate>(io_, pool, row, tell_);
  return made;
}

void Router::remove_pool(const link::PoolRemoved& removed) {
  if (Pool* pool = find_pool(removed.pool)) pool->removed = true;
}

void Router::change_routes() {
  std::vector<dispatch::RouteEntry> entries;
  routed_.clear();
  for (const Pool& pool : pools_) {
    if (pool.removed) continue;
    for (const pool::Route& route : pool.routes) {
      entries.push_back({route.host, route.path, routed_.size()});
    }
    routed_.push_back(pool.gate.get());
  }
  routes_ = dispatch::RouteTable(std::move(entries));
  for (const Pool& pool : pools_) {
    if (pool.removed) pool.gate->retire();
  }
}

// Of a pool that is being removed there is nothing left to say.
void Router::change_mode(const link::PoolModeChanged& change) {
  Pool* pool = find_pool(change.pool);
  if (pool != nullptr) pool->gate->set_mode(change.mode, change.retry_after_seconds);
}

Result<void> Router::add_worker(const link::WorkerReady& worker) {
  Pool* pool = find_pool(worker.pool);
  if (pool == nullptr && was_removed(worker.pool)) return {};
  if (pool == nullptr || worker.board_slot >= link::kMaxWorkers) {
    return failure("cannot add worker " + std::to_string(worker::number(worker.id)) + " to pool " +
                   worker.pool + ": no such pool or row of the scoreboard");
  }
  pool_of_.emplace(worker.id, pool->gate.get());
  start_counting(worker);
  pool->gate->add_worker(worker, board_.workers[worker.board_slot]);
  return {};
}

// A row counts from 0 for each worker. What a gateway finds when it takes over from one that died
// goes on, and so does the count of a worker that comes back.
void Router::start_counting(const link::WorkerReady& worker) {
  if (!worker.is_new) return;
  link::WorkerRow& row = board_.workers[worker.board_slot];
  row.requests.store(0, std::memory_order_relaxed);
  row.last_response.store(0, std::memory_order_relaxed);
}

void Router::drain(const link::DrainWorker& mark) {
  const auto at = pool_of_.find(mark.id);
  if (at == pool_of_.end()) return tell_(link::WorkerDrained{mark.id, mark.mark});
  at->second->drain(mark);
  // Those who wait now would wait for a worker that nobody will start.
  const bool ends = quiescing_ && mark.cause == dispatch::LossCause::Shutdown;
  if (ends && !at->second->has_serving_worker()) at->second->refuse_as_shutting_down();
}

void Router::abandon(const link::AbandonWorker& lost) {
  const auto at = pool_of_.find(lost.id);
  if (at == pool_of_.end()) return;
  at->second->abandon_worker(lost.id);
  pool_of_.erase(at);
}

void Router::remove(const link::WorkerGone& gone) {
  const auto at = pool_of_.find(gone.id);
  if (at == pool_of_.end()) return;
  at->second->remove(gone.id);
  pool_of_.erase(at);
}

void Router::sweep(TimePoint now) {
  for (const Pool& pool : pools_) pool.gate->sweep(now);
  std::erase_if(pools_, [](const Pool& pool) { return pool.gate->is_unused(); });
}

void Router::close() {
  for (const Pool& pool : pools_) pool.gate->close();
}

}  // namespace poolwarden::gateway
