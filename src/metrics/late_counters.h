// Counters whose label values are not known beforehand. A series that is born at 1 is invisible to
// increase(): a new one shows 0 in the first scrape, and what it counted from the next one on.

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "metrics/samples.h"

namespace poolwarden::metrics {

class LateCounters {
 public:
  explicit LateCounters(Metric metric) : metric_(metric) {}

  void create(const Labels& labels);  // shown at 0, counts without delay
  void increment(const Labels& labels);
  void remove_pool(const std::string& pool);

  void collect(Samples& samples);

 private:
  struct Series {
    std::uint64_t count = 0;
    bool was_shown = false;
  };
  Metric metric_;
  std::mutex mutex_;
  std::map<Labels, Series> series_;
};

}  // namespace poolwarden::metrics
