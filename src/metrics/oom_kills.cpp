#include "metrics/oom_kills.h"

#include <algorithm>

namespace poolwarden::metrics {

void OomKills::ended(const std::string& pool, std::uint64_t kills) {
  std::lock_guard lock(mutex_);
  pools_[pool].ended += kills;
}

void OomKills::remove_pool(const std::string& pool) {
  std::lock_guard lock(mutex_);
  pools_.erase(pool);
}

std::uint64_t OomKills::of_ended(const std::string& pool) const {
  std::lock_guard lock(mutex_);
  const auto found = pools_.find(pool);
  return found == pools_.end() ? 0 : found->second.ended;
}

std::uint64_t OomKills::total(const std::string& pool, std::uint64_t of_ended,
                              std::uint64_t of_running) {
  std::lock_guard lock(mutex_);
  Count& count = pools_[pool];
  count.shown = std::max(count.shown, of_ended + of_running);
  return count.shown;
}

}  // namespace poolwarden::metrics
