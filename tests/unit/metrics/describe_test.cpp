// The catalogue in its three forms, and the page of the documentation that shows one of them.

#include "metrics/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "metrics/label_values.h"

namespace poolwarden::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Describe, TheDocumentationShowsIt) {
  const std::filesystem::path root = SOURCE_DIR;
  std::ifstream page(root / "docs" / "metrics.md");
  ASSERT_TRUE(page.is_open());
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  EXPECT_THAT(text, testing::EndsWith(catalogue_markdown()))
      << "docs/metrics.md is to end with what `poolwarden metrics --describe --markdown` prints";
}

TEST(Describe, TellsClosedSetsFromOpenOnes) {
  EXPECT_THAT(label_values(Metric::HttpRequestsLost, "cause"),
              ElementsAre("recycle", "reload", "shutdown", "worker_died"));
  EXPECT_THAT(label_values(Metric::HttpRequestsLost, "pool"), IsEmpty());
  EXPECT_THAT(label_values(Metric::WorkerExitCodes, "exit_code"), IsEmpty());
}

TEST(Describe, KnowsEachLabelThatHasASet) {
  for (int i = 0; i < kMetrics; ++i) {
    const MetricInfo& info = about(static_cast<Metric>(i));
    for (const std::string& label : label_names(info)) {
      const bool is_closed = label == "state" || label == "reason" || label == "diagnosis" ||
                             label == "hook" || label == "event" || label == "level" ||
                             label == "resource" || label == "cause";
      if (is_closed) {
        EXPECT_THAT(label_values(info.metric, label), testing::Not(IsEmpty()))
            << info.name << ": " << label;
      }
    }
  }
}

TEST(Describe, IsOneObjectAMetricAsJson) {
  const boost::json::array all = catalogue_json();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kMetrics));
  const auto& state = all.at(1).as_object();
  EXPECT_EQ(state.at("name"), "poolwarden_pool_state");
  EXPECT_EQ(state.at("type"), "gauge");
  EXPECT_EQ(state.at("labels").at(0).at("name"), "pool");
  EXPECT_TRUE(state.at("labels").at(0).at("values").is_null());
  EXPECT_EQ(state.at("labels").at(1).at("values").as_array().size(), 4u);
}

TEST(Describe, IsAFewLinesAMetricForPeople) {
  EXPECT_THAT(catalogue_text(), HasSubstr("\npoolwarden_http_requests_lost_total (counter)\n"));
  EXPECT_THAT(catalogue_text(), HasSubstr("\n  cause: recycle, reload, shutdown, worker_died\n"));
}

}  // namespace
}  // namespace poolwarden::metrics
