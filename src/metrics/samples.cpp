#include "metrics/samples.h"

namespace poolwarden::metrics {

prometheus::ClientMetric& Samples::place(Metric metric, Labels labels) {
  prometheus::MetricFamily& family = families_[metric];
  if (family.name.empty()) {
    const MetricInfo& info = about(metric);
    family.name = info.name;
    family.help = info.help;
    family.type = info.type;
  }
  family.metric.emplace_back();
  family.metric.back().label = std::move(labels);
  return family.metric.back();
}

void Samples::add(Metric metric, Labels labels, double value) {
  prometheus::ClientMetric& sample = place(metric, std::move(labels));
  if (about(metric).type == prometheus::MetricType::Counter) {
    sample.counter.value = value;
  } else {
    sample.gauge.value = value;
  }
}

void Samples::add(Metric metric, Labels labels,
                  const prometheus::ClientMetric::Histogram& histogram) {
  place(metric, std::move(labels)).histogram = histogram;
}

void Samples::add(Metric metric, Labels labels, const std::optional<Duration>& duration) {
  if (!duration) return;
  add(metric, std::move(labels), std::chrono::duration<double>(*duration).count());
}

void Samples::add(Metric metric, Labels labels, const std::optional<WallTime>& time) {
  if (!time) return;
  add(metric, std::move(labels), std::chrono::duration<double>(time->time_since_epoch()).count());
}

std::vector<prometheus::MetricFamily> Samples::take() {
  std::vector<prometheus::MetricFamily> all;
  all.reserve(families_.size());
  for (auto& [metric, family] : families_) all.push_back(std::move(family));
  families_.clear();
  return all;
}

}  // namespace poolwarden::metrics
