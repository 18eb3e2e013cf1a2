// How metrics are written down: order, escaping, both formats, content negotiation.

#include "metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <limits>
#include <regex>
#include <set>
#include <stdexcept>

#include "metrics/catalogue.h"

namespace poolwarden::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Fixed : public prometheus::Collectable {
 public:
  explicit Fixed(std::vector<MetricFamily> families) : families_(std::move(families)) {}
  std::vector<MetricFamily> Collect() const override { return families_; }

 private:
  std::vector<MetricFamily> families_;
};

class Broken : public prometheus::Collectable {
 public:
  std::vector<MetricFamily> Collect() const override { throw std::runtime_error("no"); }
};

MetricFamily gauge(const std::string& name, const std::string& label, double value,
                   const std::string& help = "Help.") {
  prometheus::ClientMetric metric;
  metric.label = {{"pool", label}};
  metric.gauge.value = value;
  return {name, help, MetricType::Gauge, {metric}};
}

TEST(Exposition, SortsFamiliesAndSeriesAndShowsEachFamilyOnce) {
  const Fixed first({gauge("b", "z", 1), gauge("a", "x", 2)});
  const Fixed second({gauge("b", "y", 3)});
  Exposition exposition;
  exposition.add("first", first);
  exposition.add("second", second);
  EXPECT_THAT(exposition.render(ExpositionFormat::Text),
              StartsWith("# HELP a Help.\n# TYPE a gauge\na{pool=\"x\"} 2\n"
                         "# HELP b Help.\n# TYPE b gauge\nb{pool=\"y\"} 3\nb{pool=\"z\"} 1\n"));
}

TEST(Exposition, LetsNothingBreakTheScrape) {
  const Fixed hostile({gauge("a", "x\"\n\\\xff", 1, "two\nlines \\ here")});
  Exposition exposition;
  exposition.add("hostile", hostile);
  EXPECT_THAT(exposition.render(ExpositionFormat::Text),
              StartsWith("# HELP a two lines   here\n# TYPE a gauge\n"
                         "a{pool=\"x\\\"\\n\\\\\xef\xbf\xbd\"} 1\n"));
}

TEST(Exposition, TellsWhichPartFailedAndShowsTheOthers) {
  const Fixed good({gauge("a", "x", 1)});
  const Broken broken;
  Exposition exposition;
  exposition.add("good", good);
  exposition.add("broken", broken);
  const std::string text = exposition.render(ExpositionFormat::Text);
  EXPECT_THAT(text, HasSubstr("a{pool=\"x\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_scrape_collector_success{collector=\"good\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_scrape_collector_success{collector=\"broken\"} 0\n"));
}

TEST(OpenMetrics, NamesACountersFamilyWithoutTotal) {
  prometheus::ClientMetric metric;
  metric.label = {{"pool", "a\"b"}};
  metric.counter.value = 1.5;
  const Fixed fixed({{"requests_total", "Count.", MetricType::Counter, {metric}}});
  Exposition exposition;
  exposition.add("fixed", fixed);
  const std::string text = exposition.render(ExpositionFormat::OpenMetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE requests counter\n# HELP requests Count.\n"
                              "requests_total{pool=\"a\\\"b\"} 1.5\n"));
  EXPECT_THAT(text, EndsWith("\n# EOF\n"));
}

TEST(OpenMetrics, WritesAHistogramWithItsInfinity) {
  prometheus::ClientMetric metric;
  metric.histogram.sample_count = 3;
  metric.histogram.sample_sum = 2.5;
  metric.histogram.bucket = {{1, .5}, {2, 1}};
  const Fixed fixed({{"wait_seconds", "Wait.", MetricType::Histogram, {metric}}});
  Exposition exposition;
  exposition.add("fixed", fixed);
  EXPECT_THAT(
      exposition.render(ExpositionFormat::OpenMetrics),
      HasSubstr(
          "wait_seconds_bucket{le=\"0.5\"} 1\nwait_seconds_bucket{le=\"1.0\"} 2\n"
          "wait_seconds_bucket{le=\"+Inf\"} 3\nwait_seconds_count 3\nwait_seconds_sum 2.5\n"));
}

TEST(ChooseFormat, TakesWhatTheScraperPrefers) {
  EXPECT_EQ(choose_format("application/openmetrics-text;version=1.0.0,"
                          "application/openmetrics-text;version=0.0.1;q=0.75,"
                          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            ExpositionFormat::OpenMetrics);
  EXPECT_EQ(choose_format("text/plain; version=0.0.4, application/openmetrics-text; q=0.5"),
            ExpositionFormat::Text);
  EXPECT_EQ(choose_format("application/openmetrics-text;version=2.0.0"), ExpositionFormat::Text);
  EXPECT_EQ(choose_format(""), ExpositionFormat::Text);
  EXPECT_EQ(choose_format("text/html,*/*;q=0.8"), ExpositionFormat::Text);
  EXPECT_EQ(choose_format("application/openmetrics-text;q=0"), ExpositionFormat::Text);
}

TEST(Catalogue, FollowsTheRulesOfNaming) {
  const std::regex legal("(poolwarden|process)_[a-z0-9_]+[a-z0-9]");
  std::set<std::string> names;
  for (int i = 0; i < kMetrics; ++i) {
    const MetricInfo& info = about(static_cast<Metric>(i));
    const std::string name = info.name;
    EXPECT_TRUE(std::regex_match(name, legal)) << name;
    EXPECT_EQ(name.ends_with("_total"), info.type == MetricType::Counter) << name;
    EXPECT_TRUE(names.insert(name).second) << name << " is there twice";
    const std::string help = info.help;
    EXPECT_EQ(help.find_first_of("\\\n"), std::string::npos) << name;
    EXPECT_THAT(help, EndsWith(".")) << name;
  }
}

}  // namespace
}  // namespace poolwarden::metrics
