#include "config/check_together.h"

#include <algorithm>
#include <map>

namespace poolwarden::config {
namespace {

using pool::PoolSettings;

// What one message to the gateway holds, with paths as long as they may be.
constexpr std::size_t kMostRoutes = 128;
constexpr std::uint64_t kMostWorkers = 4096;  // of all pools: rows of the scoreboard

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
