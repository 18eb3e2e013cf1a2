// limits.cpu over limits.cpu_window: whether a worker uses more CPU time than it may, where nothing
// holds it at the limit; or is held back at it for long.

#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "worker/usage.h"
#include "worker/worker_settings.h"

namespace poolwarden::pool {

// Something that only grows, looked at from time to time. Windows follow one another: each is
// judged by itself, and told of once. One that ends late is allowed as much more.
class GrowthWindow {
 public:
  // `total`: so far; less than before counts as no growth. `allowed`: growth within `window`.
  // Returns how much it was, once it is more than that.
  std::optional<Duration> observe(Duration total, Duration allowed, Duration window, TimePoint now);

 private:
  std::optional<TimePoint> began_;
  Duration last_{}, grown_{};
  bool told_ = false;
};

struct CpuTrouble {
  bool throttled = false;  // else: over the limit
  Duration time{};         // held back; or of CPUs, used
};

// One worker's. What it used before it was first looked at does not count.
class CpuWatch {
 public:
  // `limits`: that the worker was started with. With another limits.cpu_action another total is
  // looked at, from then on.
  std::optional<CpuTrouble> observe(const worker::Usage& seen, const worker::Limits& limits,
                                    TimePoint now);

 private:
  GrowthWindow window_;
  bool follows_throttled_ = false;  // else: CPU time
};

// "has used 8m of CPU time within limits.cpu_window (5m), more than limits.cpu (150%) allows"
std::string describe(const CpuTrouble& trouble, const worker::Limits& limits);

}  // namespace poolwarden::pool
