// What the supervision thread counts of itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/exposition.h"
#include "metrics/loop_metrics.h"
#include "metrics/order_metrics.h"

namespace poolwarden::metrics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string scrape(const prometheus::Collectable& collector) {
  Exposition exposition;
  exposition.add("it", collector);
  return exposition.render(ExpositionFormat::Text);
}

TEST(LoopMetrics, CountsAsAStallWhatIsLaterThanAQuarterOfASecond) {
  LoopMetrics loop;
  EXPECT_THAT(scrape(loop), HasSubstr("poolwarden_event_loop_stalls_total 0\n"));
  loop.record(-1ns);  // a clock may be read before the timer's own reading
  loop.record(250ms);
  loop.record(251ms);
  const std::string text = scrape(loop);
  EXPECT_THAT(text, HasSubstr("poolwarden_event_loop_stalls_total 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_event_loop_lag_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_event_loop_lag_seconds_bucket{le=\"0.25\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_event_loop_lag_seconds_count 3\n"));
}

TEST(OrderMetrics, CountsCommandsItKnowsAndAllOthersAsOne) {
  OrderMetrics orders;
  const auto series = [](const char* command, const char* code, int count) {
    return HasSubstr("poolwarden_admin_requests_total{code=\"" + std::string(code) +
                     "\",command=\"" + command + "\"} " + std::to_string(count) + "\n");
  };
  EXPECT_THAT(scrape(orders), series("status", "done", 0));
  orders.record("status", OrderEnd::Done);
  orders.record("stat\nus", OrderEnd::WrongUsage);
  orders.record("", OrderEnd::HungUp);
  orders.record("unknown", OrderEnd::Refused);
  const std::string text = scrape(orders);
  EXPECT_THAT(text, series("status", "done", 1));
  EXPECT_THAT(text, series("unknown", "wrong_usage", 1));
  EXPECT_THAT(text, series("unknown", "hung_up", 1));
  EXPECT_THAT(text, series("unknown", "refused", 1));
}

}  // namespace
}  // namespace poolwarden::metrics
