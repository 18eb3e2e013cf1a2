#include "metrics/order_metrics.h"

#include <algorithm>
#include <string>

#include "metrics/pool_series.h"

namespace poolwarden::metrics {

std::string_view name(OrderEnd end) {
  switch (end) {
    case OrderEnd::Done:
      return "done";
    case OrderEnd::Failed:
      return "failed";
    case OrderEnd::WrongUsage:
      return "wrong_usage";
    case OrderEnd::TimedOut:
      return "timed_out";
    case OrderEnd::Refused:
      return "refused";
    case OrderEnd::HungUp:
      return "hung_up";
  }
  return "unknown";
}

OrderMetrics::OrderMetrics() {
  auto& family = counter_family(registry_, Metric::AdminRequests);
  for (std::size_t order = 0; order < kOrders.size(); ++order) {
    for (std::size_t end = 0; end < kOrderEnds; ++end) {
      counters_[order][end] =
          &family.Add({{"command", std::string(kOrders[order])},
                       {"code", std::string(name(static_cast<OrderEnd>(end)))}});
    }
  }
}

void OrderMetrics::record(std::string_view command, OrderEnd end) {
  const auto found = std::find(kOrders.begin(), kOrders.end() - 1, command);
  const auto order = static_cast<std::size_t>(found - kOrders.begin());
  counters_[order][static_cast<std::size_t>(end)]->Increment();
}

}  // namespace poolwarden::metrics
