// Memory, CPU, processes, pressure and I/O of pools, read from their cgroups at scrape time.

#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cgroup/usage.h"
#include "loop/published.h"
#include "metrics/oom_kills.h"
#include "metrics/samples.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {

// What a pool uses in all, and how often the OOM killer struck in the leaves of the workers that
// run; nullopt where nothing tells. Called on the scraping thread.
using PoolUsage = std::function<std::optional<cgroup::Usage>(
    const std::string& pool, const std::vector<std::string>& running_leaves)>;

class CgroupCollector : public prometheus::Collectable {
 public:
  CgroupCollector(const loop::Published<pool::Snapshot>& snapshots, PoolUsage usage,
                  OomKills& oom_kills)
      : snapshots_(snapshots), usage_(std::move(usage)), oom_kills_(oom_kills) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  // A kernel counter that may start again at 0 with a new cgroup, or vanish for a while.
  struct Accumulated {
    double before = 0;  // what earlier cgroups had counted
    double last = 0;
  };
  using Accumulators = std::map<std::pair<Metric, Labels>, Accumulated>;

  void add_pool(Samples& samples, const pool::PoolSnapshot& pool) const;
  void add_oom_kills(Samples& samples, const std::string& pool, std::uint64_t ended,
                     const std::optional<cgroup::Usage>& usage) const;
  void count(Samples& samples, Accumulators& counters, Metric metric, const Labels& labels,
             const std::optional<double>& now) const;
  void add_counters(Samples& samples, const std::string& pool, const cgroup::Usage& usage) const;

  const loop::Published<pool::Snapshot>& snapshots_;
  PoolUsage usage_;
  OomKills& oom_kills_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Accumulators> pools_;
};

}  // namespace poolwarden::metrics
