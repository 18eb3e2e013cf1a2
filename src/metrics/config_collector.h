// Which configuration is in effect, and how reloading it went.

#pragma once

#include <prometheus/collectable.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"

namespace poolwarden::metrics {

class ConfigCollector : public prometheus::Collectable {
 public:
  // `sha256`: of the file; empty when there is none.
  ConfigCollector(std::string sha256, WallTime loaded)
      : sha256_(std::move(sha256)), loaded_(loaded) {}

  void reloaded(const std::string& sha256, WallTime now);
  void reload_failed();

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable std::mutex mutex_;
  std::string sha256_;
  WallTime loaded_;
  bool last_was_successful_ = true;
  std::uint64_t reloads_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace poolwarden::metrics
