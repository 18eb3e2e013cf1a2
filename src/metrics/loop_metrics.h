// How late the supervision thread does what is due: it waits for nothing, so it should never be.

#pragma once

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <vector>

#include "base/clock.h"

namespace poolwarden::metrics {

class LoopMetrics : public prometheus::Collectable {
 public:
  // Later than this is a stall.
  static constexpr Duration kStall = std::chrono::milliseconds(250);

  LoopMetrics();

  // A timer fired that much after it was due. Pushed by the supervision thread.
  void record(Duration late);

  std::vector<prometheus::MetricFamily> Collect() const override { return registry_.Collect(); }

 private:
  prometheus::Registry registry_;
  prometheus::Histogram& lag_;
  prometheus::Counter& stalls_;
};

}  // namespace poolwarden::metrics
