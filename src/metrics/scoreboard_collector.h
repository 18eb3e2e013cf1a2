// Requests, queues and connections from the scoreboard that gateways write, read at scrape time.

#pragma once

#include <prometheus/collectable.h>

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "link/scoreboard.h"
#include "loop/published.h"
#include "metrics/samples.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {

class ScoreboardCollector : public prometheus::Collectable {
 public:
  // Both must outlive it.
  ScoreboardCollector(const loop::Published<pool::Snapshot>& snapshots,
                      const link::Scoreboard& board)
      : snapshots_(snapshots), board_(board) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void add_pool(Samples& samples, const pool::PoolSnapshot& pool) const;
  void add_responses(Samples& samples, const std::string& pool, const link::PoolRow& row) const;

  const loop::Published<pool::Snapshot>& snapshots_;
  const link::Scoreboard& board_;
  mutable std::mutex mutex_;
  // Codes that have been shown. A new one shows 0 first, so that increase() sees its first count.
  mutable std::set<std::pair<std::string, std::string>> shown_;
};

}  // namespace poolwarden::metrics
