// What counts as too much CPU time, to the nanosecond.

#include "pool/cpu_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::pool {
namespace {

using namespace std::chrono_literals;
using testing::Optional;
using worker::CpuAction;

struct Window {
  // Looks at `total` so long after the last look.
  std::optional<Duration> after(Duration time, Duration total) {
    now += time;
    return growth.observe(total, 150s, 100s, now);
  }

  GrowthWindow growth;
  TimePoint now{1h};
};

TEST(GrowthWindow, AllowsWhatIsAllowedAndNotANanosecondMore) {
  Window window;
  window.after(0s, 1000s);
  EXPECT_FALSE(window.after(50s, 1150s));
  EXPECT_THAT(window.after(1s, 1150s + 1ns), Optional(150s + 1ns));
}

TEST(GrowthWindow, DoesNotCountWhatWasThereBefore) {
  Window window;
  EXPECT_FALSE(window.after(0s, 1h));
  EXPECT_FALSE(window.after(1s, 1h + 1s));
}

TEST(GrowthWindow, TellsOnceAWindowAndAgainInTheNext) {
  Window window;
  window.after(0s, 0s);
  EXPECT_TRUE(window.after(90s, 151s));
  EXPECT_FALSE(window.after(5s, 200s));
  EXPECT_FALSE(window.after(5s, 210s)) << "the end of the window";
  EXPECT_FALSE(window.after(50s, 360s)) << "the next has 150 s of its own";
  EXPECT_TRUE(window.after(1s, 361s));
}

TEST(GrowthWindow, ForgetsAtItsEnd) {
  Window window;
  window.after(0s, 0s);
  EXPECT_FALSE(window.after(99s, 149s));
  EXPECT_FALSE(window.after(1s, 150s));
  EXPECT_FALSE(window.after(1s, 152s)) << "2 s of the new window";
}

TEST(GrowthWindow, IsJudgedAtItsLastMoment) {
  Window window;
  window.after(0s, 0s);
  EXPECT_FALSE(window.after(99s, 150s));
  EXPECT_TRUE(window.after(1s, 151s));
}

// Nobody looked for a while: it had more time to use.
TEST(GrowthWindow, ThatEndsLateIsAllowedMore) {
  Window window;
  window.after(0s, 0s);
  EXPECT_FALSE(window.after(200s, 300s));
  Window other;
  other.after(0s, 0s);
  EXPECT_THAT(other.after(200s, 301s), Optional(301s));
}

// The sum over /proc goes back when a process ends whose parent is gone.
TEST(GrowthWindow, TakesLessThanBeforeForNothing) {
  Window window;
  window.after(0s, 100s);
  EXPECT_FALSE(window.after(1s, 40s));
  EXPECT_FALSE(window.after(1s, 190s));
  EXPECT_THAT(window.after(1s, 190s + 1ns), Optional(150s + 1ns));
}

worker::Limits limits_with(CpuAction action) {
  worker::Limits limits;
  limits.cpu = Percent{50};
  limits.cpu_action = action;
  limits.cpu_window = 100s;
  return limits;
}

worker::Usage seen(std::optional<Duration> cpu_time, std::optional<Duration> throttled) {
  worker::Usage usage;
  usage.cpu_time = cpu_time;
  usage.throttled = throttled;
  return usage;
}

TEST(CpuWatch, CountsAPercentageOfTheWindow) {
  for (const CpuAction action : {CpuAction::Log, CpuAction::Kill}) {
    CpuWatch watch;
    const worker::Limits limits = limits_with(action);
    watch.observe(seen(0s, 99s), limits, TimePoint{});
    EXPECT_FALSE(watch.observe(seen(50s, 0s), limits, TimePoint{60s}));
    const auto trouble = watch.observe(seen(51s, 0s), limits, TimePoint{61s});
    ASSERT_TRUE(trouble);
    EXPECT_FALSE(trouble->throttled);
    EXPECT_EQ(describe(*trouble, limits),
              "has used 51s of CPU time within limits.cpu_window (1m40s), more than limits.cpu "
              "(50%) allows");
  }
}

TEST(CpuWatch, TellsOfAFourthOfTheWindowHeldBack) {
  CpuWatch watch;
  const worker::Limits limits = limits_with(CpuAction::Throttle);
  watch.observe(seen(0s, 10s), limits, TimePoint{});
  EXPECT_FALSE(watch.observe(seen(99s, 35s), limits, TimePoint{60s}));
  const auto trouble = watch.observe(seen(99s, 36s), limits, TimePoint{61s});
  ASSERT_TRUE(trouble);
  EXPECT_TRUE(trouble->throttled);
  EXPECT_EQ(describe(*trouble, limits),
            "was held back at limits.cpu (50%) for 26s within limits.cpu_window (1m40s)");
}

// 1000 s of CPU time are no growth beyond 99 s held back.
TEST(CpuWatch, BeginsAnewWithAnotherTotal) {
  CpuWatch watch;
  watch.observe(seen(1000s, 99s), limits_with(CpuAction::Throttle), TimePoint{});
  const worker::Limits limits = limits_with(CpuAction::Kill);
  EXPECT_FALSE(watch.observe(seen(1000s, 99s), limits, TimePoint{1s}));
  EXPECT_FALSE(watch.observe(seen(1050s, 99s), limits, TimePoint{2s}));
  const auto trouble = watch.observe(seen(1051s, 99s), limits, TimePoint{3s});
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->time, 51s);
  EXPECT_FALSE(watch.observe(seen(1051s, 999s), limits_with(CpuAction::Throttle), TimePoint{4s}));
}

TEST(CpuWatch, SaysNothingWithoutALimitOrWithoutKnowing) {
  CpuWatch watch;
  worker::Limits limits = limits_with(CpuAction::Log);
  watch.observe(seen({}, {}), limits, TimePoint{});
  EXPECT_FALSE(watch.observe(seen({}, 99s), limits, TimePoint{1s}));
  limits.cpu.reset();
  watch.observe(seen(0s, 0s), limits, TimePoint{2s});
  EXPECT_FALSE(watch.observe(seen(99s, 99s), limits, TimePoint{3s}));
}

}  // namespace
}  // namespace poolwarden::pool
