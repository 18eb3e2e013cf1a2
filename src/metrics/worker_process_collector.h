// What the processes of each pool use, as /proc tells of each of them: also where no cgroup counts
// it. Looking at many processes takes a while, so it is done at a scrape, and not at each.

#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "loop/published.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {

// The processes of each pool's workers with their descendants. Called on the scraping thread.
using PoolProcesses =
    std::function<std::map<std::string, std::vector<int>>(const pool::Snapshot& snapshot)>;

class WorkerProcessCollector : public prometheus::Collectable {
 public:
  // `at_most_every`: scrapes in between see what the one before them saw.
  WorkerProcessCollector(const loop::Published<pool::Snapshot>& snapshots, PoolProcesses processes,
                         Duration at_most_every = std::chrono::seconds(10))
      : snapshots_(snapshots), processes_(std::move(processes)), at_most_every_(at_most_every) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  // Of all processes of a pool. What could not be read is absent.
  struct Figures {
    std::optional<double> open_fds, worst_fd_ratio, threads, resident;
  };
  static Figures look_at(const std::vector<int>& pids);

  const loop::Published<pool::Snapshot>& snapshots_;
  PoolProcesses processes_;
  Duration at_most_every_;
  mutable std::mutex mutex_;
  mutable std::optional<TimePoint> looked_;
  mutable std::map<std::string, Figures> pools_;
};

}  // namespace poolwarden::metrics
