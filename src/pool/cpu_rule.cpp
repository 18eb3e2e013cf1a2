#include "pool/cpu_rule.h"

#include <algorithm>

#include "base/units.h"

namespace poolwarden::pool {
namespace {

constexpr int kLong = 4;  // held back for a fourth of the window

Duration allowed_time(const Percent& cpu, Duration window) {
  return window / 100 * static_cast<Duration::rep>(cpu.count);
}

}  // namespace

std::optional<Duration> GrowthWindow::observe(Duration total, Duration allowed, Duration window,
                                              TimePoint now) {
  if (!began_) {
    began_ = now;
    last_ = total;
    return std::nullopt;
  }
  grown_ += std::max(total - last_, Duration::zero());
  last_ = total;
  const Duration length = now - *began_;
  const double lengthened =
      std::max(1.0, static_cast<double>(length.count()) / static_cast<double>(window.count()));
  const double most = static_cast<double>(allowed.count()) * lengthened;
  std::optional<Duration> exceeded;
  if (!told_ && static_cast<double>(grown_.count()) > most) exceeded = grown_;
  told_ |= exceeded.has_value();
  if (length >= window) {
    began_ = now;
    grown_ = Duration::zero();
    told_ = false;
  }
  return exceeded;
}

std::optional<CpuTrouble> CpuWatch::observe(const worker::Usage& seen, const worker::Limits& limits,
                                            TimePoint now) {
  if (!limits.cpu) return std::nullopt;
  const bool throttles = limits.cpu_action == worker::CpuAction::Throttle;
  const auto total = throttles ? seen.throttled : seen.cpu_time;
  if (!total) return std::nullopt;
  if (throttles != follows_throttled_) {
    follows_throttled_ = throttles;
    window_ = GrowthWindow();
  }
  const Duration allowed =
      throttles ? limits.cpu_window / kLong : allowed_time(*limits.cpu, limits.cpu_window);
  const auto time = window_.observe(*total, allowed, limits.cpu_window, now);
  if (!time) return std::nullopt;
  return CpuTrouble{throttles, *time};
}

std::string describe(const CpuTrouble& trouble, const worker::Limits& limits) {
  const std::string limit =
      "limits.cpu (" + std::to_string(limits.cpu.value_or(Percent{}).count) + "%)";
  const std::string window =
      " within limits.cpu_window (" + format_duration(limits.cpu_window) + ")";
  const std::string time = describe_duration(trouble.time);
  if (trouble.throttled) return "was held back at " + limit + " for " + time + window;
  return "has used " + time + " of CPU time" + window + ", more than " + limit + " allows";
}

}  // namespace poolwarden::pool
