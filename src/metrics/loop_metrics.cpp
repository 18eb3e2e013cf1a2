#include "metrics/loop_metrics.h"

#include <algorithm>
#include <chrono>

#include "metrics/pool_series.h"

namespace poolwarden::metrics {
namespace {

const prometheus::Histogram::BucketBoundaries kLagBuckets = {.001, .0025, .005, .01, .025, .05, .1,
                                                             .25,  .5,    1,    2.5, 5,    10};

}  // namespace

LoopMetrics::LoopMetrics()
    : lag_(histogram_family(registry_, Metric::EventLoopLag).Add({}, kLagBuckets)),
      stalls_(counter_family(registry_, Metric::EventLoopStalls).Add({})) {}

void LoopMetrics::record(Duration late) {
  lag_.Observe(std::chrono::duration<double>(std::max(late, Duration::zero())).count());
  if (late > kStall) stalls_.Increment();
}

}  // namespace poolwarden::metrics
