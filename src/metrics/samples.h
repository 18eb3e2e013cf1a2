// Samples gathered by one collector in one scrape, by family.

#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metrics/catalogue.h"

namespace poolwarden::metrics {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Samples {
 public:
  void add(Metric metric, Labels labels, double value);
  void add(Metric metric, Labels labels, const prometheus::ClientMetric::Histogram& histogram);
  void add(Metric metric, Labels labels, const std::optional<Duration>& duration);  // seconds
  void add(Metric metric, Labels labels, const std::optional<WallTime>& time);      // since 1970

  // One sample for each value of an enumeration: 1 for `current`, 0 for the others.
  template <typename Enum>
  void add_one_hot(Metric metric, const Labels& labels, const char* label, int count,
                   std::optional<Enum> current) {
    for (int i = 0; i < count; ++i) {
      const Enum value = static_cast<Enum>(i);
      Labels all = labels;
      all.push_back({label, std::string(name(value))});
      add(metric, std::move(all), current == value ? 1.0 : 0.0);
    }
  }

  std::vector<prometheus::MetricFamily> take();

 private:
  prometheus::ClientMetric& place(Metric metric, Labels labels);

  std::map<Metric, prometheus::MetricFamily> families_;
};

}  // namespace poolwarden::metrics
