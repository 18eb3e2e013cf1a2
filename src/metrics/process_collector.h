// The process_* metrics that every exporter has, of this process, from /proc/self.

#pragma once

#include <prometheus/collectable.h>

#include <vector>

namespace poolwarden::metrics {

class ProcessCollector : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace poolwarden::metrics
