#include "metrics/late_counters.h"

#include <algorithm>

namespace poolwarden::metrics {

void LateCounters::create(const Labels& labels) {
  std::lock_guard lock(mutex_);
  series_[labels].was_shown = true;
}

void LateCounters::increment(const Labels& labels) {
  std::lock_guard lock(mutex_);
  ++series_[labels].count;
}

void LateCounters::remove_pool(const std::string& pool) {
  std::lock_guard lock(mutex_);
  const prometheus::ClientMetric::Label gone{"pool", pool};
  std::erase_if(series_, [&](const auto& entry) {
    return std::find(entry.first.begin(), entry.first.end(), gone) != entry.first.end();
  });
}

void LateCounters::collect(Samples& samples) {
  std::lock_guard lock(mutex_);
  for (auto& [labels, series] : series_) {
    samples.add(metric_, labels, series.was_shown ? static_cast<double>(series.count) : 0.0);
    series.was_shown = true;
  }
}

}  // namespace poolwarden::metrics
