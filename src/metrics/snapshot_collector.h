// State of pools and workers from the newest published snapshot, read at scrape time. Never waits
// for the supervision thread: a snapshot that grows old shows in its timestamp.

#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "link/scoreboard.h"
#include "loop/published.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {

class SnapshotCollector : public prometheus::Collectable {
 public:
  // Both must outlive it.
  SnapshotCollector(const loop::Published<pool::Snapshot>& snapshots, const link::Scoreboard& board)
      : snapshots_(snapshots), board_(board) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const loop::Published<pool::Snapshot>& snapshots_;
  const link::Scoreboard& board_;
};

}  // namespace poolwarden::metrics
