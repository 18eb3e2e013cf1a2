#include "config/check_pool.h"

#include <algorithm>
#include <map>

#include "config/key_table.h"

namespace poolwarden::config {
namespace {

// What one message to the gateway holds, with paths as long as they may be.
constexpr std::size_t kMostRoutes = 128;

using pool::PoolSettings;
using worker::ConnectMode;

constexpr std::uint64_t kMostWorkers =
    4096;  // of all pools, as many as the scoreboard has rows for

void decide_readiness(const Cell& cell, PoolSettings& pool) {
  const bool given = cell.has("ready.when") || cell.has("ready.http");
  if (!pool.speaks_http()) {
    if (!given) pool.worker.ready.when = worker::WhenStarted{};
    return;
  }
  if (given || pool.worker.connect != ConnectMode::Inherit) return;
  cell.below("connect").error(
      "with connect: inherit the socket takes connections before the worker does, so when it is "
      "ready must be said: add ready: {when: notify}, or ready: {when: {http: /path}}");
}

void check_readiness(const Cell& cell, const PoolSettings& pool) {
  const worker::ReadyWhen& when = pool.worker.ready.when;
  const bool connects = std::holds_alternative<worker::WhenConnect>(when);
  const bool asks = std::holds_alternative<worker::WhenHttp>(when);
  const Cell place = cell.has("ready.http") ? cell.below("ready.http") : cell.below("ready.when");
  if (!pool.speaks_http() && (connects || asks)) {
    place.error(
        "a pool without routes has no socket to connect to; use ready: {when: started} or "
        "{when: notify}, or give it routes");
  }
  const bool inherits = pool.worker.connect == ConnectMode::Inherit;
  if (pool.speaks_http() && inherits && connects && cell.has("ready.when")) {
    place.error(
        "with connect: inherit connecting always succeeds, so this tells nothing; use "
        "{when: notify} or {when: {http: /path}}");
  }
}

void check_ping(const Cell& cell) {
  if (cell.has("health.ping") && !cell.has("health.ping.http")) {
    cell.below("health.ping")
        .error("a ping needs a path to ask for: add http: /healthz, or remove ping");
  }
}

void check_start(const Cell& cell, const PoolSettings& pool) {
  if (!pool.speaks_http() && pool.start == pool::StartMode::OnDemand) {
    cell.below("start").warning(
        "a pool without routes gets no request that could start it; use always, or manual and "
        "`poolwarden start " +
        pool.name + "`");
  }
}

std::string text_of(const pool::Route& route) { return route.host + " " + route.path; }

void check_routes(const std::vector<PlacedPool>& pools) {
  struct Owner {
    std::string pool;
    int line;
  };
  std::map<std::string, Owner> owners;
  for (const PlacedPool& pool : pools) {
    const Cell list = pool.cell.below("routes");
    if (list.node->items.size() > kMostRoutes) {
      list.error("expected at most " + std::to_string(kMostRoutes) + " routes, got " +
                 std::to_string(list.node->items.size()) +
                 "; use a shorter path that covers several, or another pool");
    }
    // With a wrong one left out, routes and items do not match; that one is told of already.
    if (list.node->items.size() != pool.settings->routes.size()) continue;
    for (std::size_t i = 0; i < pool.settings->routes.size(); ++i) {
      const Cell item = list.item(i);
      const std::string route = text_of(pool.settings->routes[i]);
      const auto [owner, is_new] =
          owners.insert({route, {pool.settings->name, item.node->place.line}});
      if (is_new) continue;
      item.error("pool " + owner->second.pool + " has the route " + route + " already, in line " +
                 std::to_string(owner->second.line) + "; remove one of them");
    }
  }
}

void check_total(const std::vector<PlacedPool>& pools) {
  std::uint64_t total = 0;
  for (const PlacedPool& pool : pools) {
    const std::uint64_t before = total;
    total += pool.settings->workers.max + std::uint64_t{pool.settings->recycle.at_once};
    if (before <= kMostWorkers && total > kMostWorkers) {
      pool.cell.below("workers").error(
          "with this pool there are " + std::to_string(total) +
          " workers in all, counting workers.max and recycle.at_once of each pool; at most 4096 "
          "can be kept track of");
    }
  }
}

}  // namespace

void check_pool(const Cell& cell, PoolSettings& pool) {
  if (!cell.has("command")) {
    cell.error(
        "command is missing; add the program to run, such as command: [gunicorn, "
        "\"app:app\"]");
  }
  decide_readiness(cell, pool);
  check_readiness(cell, pool);
  check_ping(cell);
  check_start(cell, pool);
  const bool grows = pool.workers.max > pool.workers.min && pool.workers.min > 0;
  if (grows) note_not_in_effect(cell.below("workers.max"), false);
}

void check_pools_together(const std::vector<PlacedPool>& pools) {
  check_routes(pools);
  check_total(pools);
}

void check_addresses(const Cell& top, const Settings& settings) {
  const auto taken = [](const Address& a, const Address& b) {
    return a == b && (a.port != 0 || !a.unix_path.empty());
  };
  const Cell listen = top.below("listen");
  // With a wrong one left out, addresses and items do not match; that one is told of already.
  const bool is_list = listen.node->kind == Node::Kind::List;
  if (is_list && listen.node->items.size() != settings.listen.size()) return;
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    const Address& address = settings.listen[i];
    const auto end = settings.listen.begin() + static_cast<std::ptrdiff_t>(i);
    const bool again = std::any_of(settings.listen.begin(), end,
                                   [&](const Address& other) { return taken(other, address); });
    if (again && i < listen.node->items.size()) {
      listen.item(i).error("the address " + describe(address) +
                           " stands here a second time; remove one of them");
    }
    if (taken(address, settings.admin)) {
      const Cell place = top.has("admin") ? top.below("admin") : listen;
      place.error("listen and admin have the same address " + describe(address) +
                  "; give admin another port");
    }
  }
}

}  // namespace poolwarden::config
