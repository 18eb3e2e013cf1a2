#include "metrics/config_collector.h"

#include <optional>

#include "metrics/samples.h"

namespace poolwarden::metrics {

void ConfigCollector::reloaded(const std::string& sha256, WallTime now) {
  std::lock_guard lock(mutex_);
  sha256_ = sha256;
  loaded_ = now;
  last_was_successful_ = true;
  ++reloads_;
}

void ConfigCollector::reload_failed() {
  std::lock_guard lock(mutex_);
  last_was_successful_ = false;
  ++reloads_;
  ++failures_;
}

std::vector<prometheus::MetricFamily> ConfigCollector::Collect() const {
  std::lock_guard lock(mutex_);
  Samples samples;
  samples.add(Metric::ConfigLastReloadSuccessful, {}, last_was_successful_ ? 1.0 : 0.0);
  samples.add(Metric::ConfigLastReloadSuccess, {}, std::optional(loaded_));
  samples.add(Metric::ConfigReloads, {}, static_cast<double>(reloads_));
  samples.add(Metric::ConfigReloadFailures, {}, static_cast<double>(failures_));
  if (!sha256_.empty()) samples.add(Metric::ConfigInfo, {{"sha256", sha256_}}, 1);
  return samples.take();
}

}  // namespace poolwarden::metrics
