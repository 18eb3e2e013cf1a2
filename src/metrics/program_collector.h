// What the supervisor tells of itself: which build it is, how its log fares.

#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pool/event.h"

namespace poolwarden::metrics {

struct Build {
  std::string version;
  std::string revision;
  std::string compiler;
  std::string build_type;
};

// Asked on the scraping thread.
struct LogCounts {
  std::function<std::uint64_t(pool::Level level)> written;
  std::function<std::uint64_t()> dropped;
};

class ProgramCollector : public prometheus::Collectable {
 public:
  ProgramCollector(Build build, LogCounts log) : build_(std::move(build)), log_(std::move(log)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  Build build_;
  LogCounts log_;
};

}  // namespace poolwarden::metrics
