// Registry series of one metric, one set a pool: made at 0 when the pool is added, so that the
// first increment is not lost on increase().

#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <map>
#include <string>

#include "metrics/catalogue.h"

namespace poolwarden::metrics {

inline prometheus::Family<prometheus::Counter>& counter_family(prometheus::Registry& registry,
                                                               Metric metric) {
  return prometheus::BuildCounter()
      .Name(about(metric).name)
      .Help(about(metric).help)
      .Register(registry);
}

inline prometheus::Family<prometheus::Histogram>& histogram_family(prometheus::Registry& registry,
                                                                   Metric metric) {
  return prometheus::BuildHistogram()
      .Name(about(metric).name)
      .Help(about(metric).help)
      .Register(registry);
}

// A counter for each pool and each of the `Count` values of an enumeration.
template <typename Enum, std::size_t Count>
class PoolCounters {
 public:
  PoolCounters(prometheus::Registry& registry, Metric metric, const char* label)
      : family_(counter_family(registry, metric)), label_(label) {}

  void add_pool(const std::string& pool) {
    auto& counters = pools_[pool];
    for (std::size_t i = 0; i < Count; ++i) {
      const std::string value(name(static_cast<Enum>(i)));
      counters[i] = &family_.Add({{"pool", pool}, {label_, value}});
    }
  }

  void remove_pool(const std::string& pool) {
    const auto found = pools_.find(pool);
    if (found == pools_.end()) return;
    for (prometheus::Counter* counter : found->second) family_.Remove(counter);
    pools_.erase(found);
  }

  void increment(const std::string& pool, Enum value) {
    pools_.at(pool)[static_cast<std::size_t>(value)]->Increment();
  }

 private:
  prometheus::Family<prometheus::Counter>& family_;
  std::string label_;
  std::map<std::string, std::array<prometheus::Counter*, Count>> pools_;
};

class PoolCounter {
 public:
  PoolCounter(prometheus::Registry& registry, Metric metric)
      : family_(counter_family(registry, metric)) {}

  void add_pool(const std::string& pool) { pools_[pool] = &family_.Add({{"pool", pool}}); }
  void remove_pool(const std::string& pool) {
    if (const auto node = pools_.extract(pool)) family_.Remove(node.mapped());
  }
  void increment(const std::string& pool) { pools_.at(pool)->Increment(); }

 private:
  prometheus::Family<prometheus::Counter>& family_;
  std::map<std::string, prometheus::Counter*> pools_;
};

class PoolHistogram {
 public:
  PoolHistogram(prometheus::Registry& registry, Metric metric,
                prometheus::Histogram::BucketBoundaries bounds)
      : family_(histogram_family(registry, metric)), bounds_(std::move(bounds)) {}

  void add_pool(const std::string& pool) { pools_[pool] = &family_.Add({{"pool", pool}}, bounds_); }
  void remove_pool(const std::string& pool) {
    if (const auto node = pools_.extract(pool)) family_.Remove(node.mapped());
  }
  void observe(const std::string& pool, double value) { pools_.at(pool)->Observe(value); }

 private:
  prometheus::Family<prometheus::Histogram>& family_;
  prometheus::Histogram::BucketBoundaries bounds_;
  std::map<std::string, prometheus::Histogram*> pools_;
};

}  // namespace poolwarden::metrics
