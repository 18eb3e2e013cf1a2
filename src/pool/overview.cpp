#include "pool/overview.h"

#include <algorithm>

namespace poolwarden::pool {
namespace {

// What a service manager shows is one line of a table.
constexpr std::size_t kLongestLine = 400;

Duration patience_of(const PoolSnapshot& pool) {
  return pool.settings ? pool.settings->worker.ready.timeout.value_or(kLongestStart) : Duration{};
}

bool counts(const PoolSnapshot& pool) { return pool.settings != nullptr && !pool.removed; }

}  // namespace

bool is_started(const Snapshot& snapshot, Duration since) {
  return std::all_of(snapshot.pools.begin(), snapshot.pools.end(), [&](const PoolSnapshot& pool) {
    return !counts(pool) || can_serve(pool) || pool.disabled || since >= patience_of(pool);
  });
}

Duration longest_start(const Snapshot& snapshot) {
  Duration longest{};
  for (const PoolSnapshot& pool : snapshot.pools) longest = std::max(longest, patience_of(pool));
  return longest;
}

// Pools with HTTP wait for their requests together, and then all stop at once.
std::optional<Duration> longest_stop(const Snapshot& snapshot) {
  Duration drain{};
  Duration stop{};
  for (const PoolSnapshot& pool : snapshot.pools) {
    if (!pool.settings) continue;
    const worker::Stop& settings = pool.settings->worker.stop;
    const bool drains = pool.settings->speaks_http();
    if (!settings.timeout || (drains && !settings.drain)) return std::nullopt;
    if (drains) drain = std::max(drain, *settings.drain);
    stop = std::max(stop, *settings.timeout);
  }
  return snapshot.shutdown_delay + drain + stop;
}

std::string summary(const Snapshot& snapshot) {
  if (snapshot.stopping) return "stopping";
  std::size_t all = 0;
  std::size_t serving = 0;
  std::string troubles;
  for (const PoolSnapshot& pool : snapshot.pools) {
    if (!counts(pool)) continue;
    ++all;
    if (can_serve(pool)) {
      ++serving;
    } else {
      troubles += "; pool " + pool.settings->name + ": " + why_not_serving(pool);
    }
  }
  std::string line = serving < all ? std::to_string(serving) + " of " : "";
  line += std::to_string(all) + (line.empty() && all == 1 ? " pool serves" : " pools serve");
  line += troubles;
  if (line.size() > kLongestLine) line = line.substr(0, kLongestLine - 3) + "...";
  return line;
}

}  // namespace poolwarden::pool
