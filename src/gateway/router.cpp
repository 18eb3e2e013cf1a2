#include "gateway/router.h"

namespace poolwarden::gateway {

Router::Router(asio::io_context& io, link::Scoreboard& board, Tell tell)
    : io_(io), board_(board), tell_(std::move(tell)) {}

PoolGate* Router::find(std::string_view host, std::string_view path) const {
  const std::optional<std::size_t> index = routes_.match(host, path);
  return index ? gates_[*index].get() : nullptr;
}

PoolGate* Router::find_pool(std::string_view name) const {
  for (const std::unique_ptr<PoolGate>& gate : gates_) {
    if (gate->name() == name) return gate.get();
  }
  return nullptr;
}

Result<void> Router::add_pool(const link::PoolAdded& pool) {
  if (pool.board_slot >= link::kMaxPools) {
    return failure("cannot add pool " + pool.pool + ": row " + std::to_string(pool.board_slot) +
                   " is not on the scoreboard");
  }
  std::size_t index = 0;
  while (index < gates_.size() && gates_[index]->name() != pool.pool) ++index;
  if (index < gates_.size()) {
    gates_[index]->change_settings(pool);
  } else {
    gates_.push_back(std::make_unique<PoolGate>(io_, pool, board_.pools[pool.board_slot], tell_));
  }
  std::erase_if(entries_, [&](const dispatch::RouteEntry& entry) { return entry.pool == index; });
  for (const pool::Route& route : pool.routes) entries_.push_back({route.host, route.path, index});
  routes_ = dispatch::RouteTable(entries_);
  return {};
}

Result<void> Router::change_mode(const link::PoolModeChanged& change) {
  PoolGate* gate = find_pool(change.pool);
  if (gate == nullptr) return failure("cannot change pool " + change.pool + ": it is not here");
  gate->set_mode(change.mode, change.retry_after_seconds);
  return {};
}

Result<void> Router::add_worker(const link::WorkerReady& worker) {
  PoolGate* gate = find_pool(worker.pool);
  if (gate == nullptr || worker.board_slot >= link::kMaxWorkers) {
    return failure("cannot add worker " + std::to_string(worker::number(worker.id)) + " to pool " +
                   worker.pool + ": no such pool or row of the scoreboard");
  }
  if (!pool_of_.emplace(worker.id, gate).second) return {};
  start_counting(worker);
  gate->add_worker(worker, board_.workers[worker.board_slot]);
  return {};
}

// A row counts from 0 for each worker. Only a change of its owner clears it: what a gateway finds
// when it takes over from one that died goes on.
void Router::start_counting(const link::WorkerReady& worker) {
  const auto [owner, is_first] = owner_of_row_.try_emplace(worker.board_slot, worker.id);
  if (is_first || owner->second == worker.id) return;
  owner->second = worker.id;
  link::WorkerRow& row = board_.workers[worker.board_slot];
  row.requests.store(0, std::memory_order_relaxed);
  row.last_response.store(0, std::memory_order_relaxed);
}

void Router::drain(const link::DrainWorker& mark) {
  const auto at = pool_of_.find(mark.id);
  if (at == pool_of_.end()) return tell_(link::WorkerDrained{mark.id});
  at->second->drain(mark.id, mark.cause);
  // Those who wait now would wait for a worker that nobody will start.
  const bool ends = quiescing_ && mark.cause == dispatch::LossCause::Shutdown;
  if (ends && !at->second->has_serving_worker()) at->second->refuse_as_shutting_down();
}

void Router::remove(const link::WorkerGone& gone) {
  const auto at = pool_of_.find(gone.id);
  if (at == pool_of_.end()) return;
  at->second->remove(gone.id);
  pool_of_.erase(at);
}

void Router::sweep(TimePoint now) {
  for (const std::unique_ptr<PoolGate>& gate : gates_) gate->sweep(now);
}

void Router::close() {
  for (const std::unique_ptr<PoolGate>& gate : gates_) gate->close();
}

}  // namespace poolwarden::gateway
