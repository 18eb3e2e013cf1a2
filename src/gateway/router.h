// The pools as the supervisor describes them: applies its messages, and finds the pool of a
// request.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dispatch/route_table.h"
#include "gateway/pool_gate.h"
#include "gateway/tell.h"
#include "link/messages.h"
#include "link/scoreboard.h"

namespace poolwarden::gateway {

class Router {
 public:
  Router(asio::io_context& io, link::Scoreboard& board, Tell tell);

  // Null: no pool has this host and path.
  PoolGate* find(std::string_view host, std::string_view path) const;

  // Messages about pools and workers; an error says what does not fit together.
  // A pool that is here already gets its settings and routes changed.
  Result<void> add_pool(const link::PoolAdded& pool);
  Result<void> change_mode(const link::PoolModeChanged& change);
  Result<void> add_worker(const link::WorkerReady& worker);
  void drain(const link::DrainWorker& mark);
  void remove(const link::WorkerGone& gone);

  void quiesce() { quiescing_ = true; }
  void sweep(TimePoint now);
  void close();

 private:
  PoolGate* find_pool(std::string_view name) const;
  void start_counting(const link::WorkerReady& worker);

  asio::io_context& io_;
  link::Scoreboard& board_;
  Tell tell_;
  bool quiescing_ = false;
  std::vector<std::unique_ptr<PoolGate>> gates_;
  std::vector<dispatch::RouteEntry> entries_;
  dispatch::RouteTable routes_;
  std::map<worker::WorkerId, PoolGate*> pool_of_;
  std::map<std::uint32_t, worker::WorkerId> owner_of_row_;
};

}  // namespace poolwarden::gateway
