// The closed lists: every word exists once.

#include "dispatch/words.h"

#include <gtest/gtest.h>

#include <set>

namespace poolwarden::dispatch {
namespace {

template <typename Enum>
void expect_distinct_names(std::size_t count) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < count; ++i) names.insert(name(static_cast<Enum>(i)));
  EXPECT_EQ(names.size(), count);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Words, AreDistinct) {
  expect_distinct_names<Reason>(kReasons);
  expect_distinct_names<Rejection>(kRejections);
  expect_distinct_names<RequestFailure>(kRequestFailures);
  expect_distinct_names<LossCause>(kLossCauses);
}

TEST(Words, HaveAnErrorStatusForEachReason) {
  for (std::size_t i = 0; i < kReasons; ++i) {
    const int status = status_of(static_cast<Reason>(i));
    EXPECT_GE(status, 400);
    EXPECT_LE(status, 504);
  }
  EXPECT_EQ(status_of(Reason::NoRoute), 404);
  EXPECT_EQ(status_of(Reason::RapidFail), 503);
  EXPECT_EQ(status_of(Reason::WorkerDied), 502);
}

}  // namespace
}  // namespace poolwarden::dispatch
