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
  // A pool that is here already gets its settings changed. Routes hold from change_routes() on.
  Result<void> add_pool(const link::PoolAdded& pool);
  void remove_pool(const link::PoolRemoved& removed);
  void change_routes();
  void change_mode(const link::PoolModeChanged& change);
  Result<void> add_worker(const link::WorkerReady& worker);
  void drain(const link::DrainWorker& mark);
  void abandon(const link::AbandonWorker& lost);
  void remove(const link::WorkerGone& gone);

  void quiesce() { quiescing_ = true; }
  void sweep(TimePoint now);
  void close();

 private:
  // A removed one stays until nobody uses its gate; meanwhile another may have its name.
  struct Pool {
    std::unique_ptr<PoolGate> gate;
    std::vector<pool::Route> routes;
    bool removed = false;
  };

  Pool* find_pool(std::string_view name);
  bool was_removed(std::string_view name) const;
  Pool& make_pool(const link::PoolAdded& pool);
  void start_counting(const link::WorkerReady& worker);

  asio::io_context& io_;
  link::Scoreboard& board_;
  Tell tell_;
  bool quiescing_ = false;
  std::vector<Pool> pools_;
  std::vector<PoolGate*> routed_;  // by the numbers that the table answers
  dispatch::RouteTable routes_;
  std::map<worker::WorkerId, PoolGate*> pool_of_;
  std::map<std::uint32_t, std::string> owner_of_pool_row_;
};

}  // namespace poolwarden::gateway
