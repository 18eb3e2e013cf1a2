// What is asked of the supervisor over the control socket, and how it ended.

#pragma once

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace poolwarden::metrics {

// The commands that the control socket knows, and what stands for all others.
inline constexpr std::array<std::string_view, 14> kOrders = {
    "status", "healthcheck", "metrics", "events", "why",   "plan",  "reload",
    "start",  "stop",        "recycle", "scale",  "drill", "debug", "unknown"};

// Label `code` of poolwarden_admin_requests_total.
enum class OrderEnd {
  Done,
  Failed,
  WrongUsage,
  TimedOut,
  Refused,  // by somebody who may not command
  HungUp,   // the client did not wait for the end
};
inline constexpr std::size_t kOrderEnds = static_cast<std::size_t>(OrderEnd::HungUp) + 1;
std::string_view name(OrderEnd end);

class OrderMetrics : public prometheus::Collectable {
 public:
  OrderMetrics();

  // Pushed by the supervision thread. `command`: any text, as it came.
  void record(std::string_view command, OrderEnd end);

  std::vector<prometheus::MetricFamily> Collect() const override { return registry_.Collect(); }

 private:
  prometheus::Registry registry_;
  std::array<std::array<prometheus::Counter*, kOrderEnds>, kOrders.size()> counters_{};
};

}  // namespace poolwarden::metrics
