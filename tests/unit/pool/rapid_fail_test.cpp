// The sliding window of rapid-fail protection, at its edges.

#include "pool/rapid_fail.h"

#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

constexpr TimePoint kStart{1h};

RapidFail window(std::optional<std::uint32_t> failures, Duration within) {
  RapidFailSettings settings;
  settings.failures = failures;
  settings.within = within;
  return RapidFail(settings);
}

TEST(RapidFail, TripsAtTheNthFailureNotBeforeIt) {
  RapidFail rapid_fail = window(3, 5min);
  EXPECT_FALSE(rapid_fail.record_failure(kStart));
  EXPECT_FALSE(rapid_fail.record_failure(kStart + 1s));
  EXPECT_TRUE(rapid_fail.record_failure(kStart + 2s));
}

TEST(RapidFail, TripsAtOnceWhereOneFailureIsAllowed) {
  RapidFail rapid_fail = window(1, 5min);
  EXPECT_TRUE(rapid_fail.record_failure(kStart));
}

TEST(RapidFail, CountsAFailureUntilJustBeforeItIsAWindowOld) {
  RapidFail rapid_fail = window(2, 60s);
  rapid_fail.record_failure(kStart);
  EXPECT_TRUE(rapid_fail.record_failure(kStart + 60s - 1ns));
}

TEST(RapidFail, ForgetsAFailureThatIsAWindowOld) {
  RapidFail rapid_fail = window(2, 60s);
  rapid_fail.record_failure(kStart);
  EXPECT_FALSE(rapid_fail.record_failure(kStart + 60s));
}

TEST(RapidFail, SeesABurstThatStraddlesWhatWouldBeTheEndOfAFixedWindow) {
  RapidFail rapid_fail = window(4, 60s);
  rapid_fail.record_failure(kStart);  // a fixed window would end 60 s from here
  rapid_fail.record_failure(kStart + 58s);
  rapid_fail.record_failure(kStart + 59s);
  EXPECT_FALSE(rapid_fail.record_failure(kStart + 61s));
  EXPECT_TRUE(rapid_fail.record_failure(kStart + 62s));
}

TEST(RapidFail, NeverTripsOnFailuresThatAreSpreadThinly) {
  RapidFail rapid_fail = window(5, 60s);
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(rapid_fail.record_failure(kStart + i * 15s)) << i;
}

TEST(RapidFail, CountsFailuresOfTheSameInstantEach) {
  RapidFail rapid_fail = window(3, 60s);
  rapid_fail.record_failure(kStart);
  rapid_fail.record_failure(kStart);
  EXPECT_TRUE(rapid_fail.record_failure(kStart));
}

TEST(RapidFail, NeverTripsWhenItIsOff) {
  RapidFail rapid_fail = window(std::nullopt, 60s);
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(rapid_fail.record_failure(kStart));
}

TEST(RapidFail, TellsHowManyFailuresAreInTheWindowNow) {
  RapidFail rapid_fail = window(5, 60s);
  EXPECT_EQ(rapid_fail.failures_in_window(kStart), 0u);
  rapid_fail.record_failure(kStart);
  rapid_fail.record_failure(kStart + 30s);
  EXPECT_EQ(rapid_fail.failures_in_window(kStart + 59s), 2u);
  EXPECT_EQ(rapid_fail.failures_in_window(kStart + 60s), 1u);
  EXPECT_EQ(rapid_fail.failures_in_window(kStart + 90s), 0u);
}

TEST(RapidFail, StartsAfreshAfterAReset) {
  RapidFail rapid_fail = window(2, 60s);
  rapid_fail.record_failure(kStart);
  rapid_fail.reset();
  EXPECT_EQ(rapid_fail.failures_in_window(kStart), 0u);
  EXPECT_FALSE(rapid_fail.record_failure(kStart + 1s));
}

}  // namespace
}  // namespace poolwarden::pool
