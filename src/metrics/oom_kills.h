// How often the kernel's OOM killer struck in each pool: of workers that have ended, as their
// certificates tell, and of those that run, as their cgroups tell. Neither alone is the whole: v1
// forgets the count of a cgroup that is removed.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace poolwarden::metrics {

// May be used by any thread.
class OomKills {
 public:
  void ended(const std::string& pool, std::uint64_t kills);
  void remove_pool(const std::string& pool);

  std::uint64_t of_ended(const std::string& pool) const;
  // The sum of both, where of_ended() was asked before the cgroups: a worker that ends in between
  // is then left out rather than counted twice. Never less than what it has answered before.
  std::uint64_t total(const std::string& pool, std::uint64_t of_ended, std::uint64_t of_running);

 private:
  struct Count {
    std::uint64_t ended = 0;
    std::uint64_t shown = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Count> pools_;
};

}  // namespace poolwarden::metrics
