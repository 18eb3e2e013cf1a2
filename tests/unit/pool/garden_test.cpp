// How a web garden grows and shrinks: patience, need, doubling, and one at a time downwards.

#include "pool/garden.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace poolwarden::pool {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};
constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

// Ten requests a worker, a minute until one is spare.
Garden garden(std::uint32_t min, std::uint32_t max) { return {min, max, 10, 1min}; }

// What it wants once the load has lasted for kPatience.
std::uint32_t grown(Garden garden, const Load& load, std::uint32_t present) {
  garden.wanted(load, present, 0, kStart);
  return garden.wanted(load, present, 0, kStart + kPatience);
}

TEST(Garden, WantsWhatThereIsWithoutLoad) { EXPECT_EQ(garden(1, 8).wanted({}, 3, 0, kStart), 3u); }

TEST(Garden, StaysWithinItsBounds) {
  EXPECT_EQ(garden(2, 8).wanted({}, 0, 0, kStart), 2u);
  EXPECT_EQ(garden(2, 8).wanted({}, 1, 1, kStart), 2u);
  EXPECT_EQ(garden(2, 8).wanted({}, 9, 0, kStart), 8u);
  EXPECT_EQ(grown(garden(2, 8), {.waiting = kMost, .in_flight = kMost}, 8), 8u);
  EXPECT_EQ(grown(garden(2, 8), {.waiting = 1000, .in_flight = 90}, 9), 8u);
}

TEST(Garden, GrowsWhenRequestsHaveWaitedForItsPatience) {
  Garden one = garden(1, 8);
  const Load load = {.waiting = 5, .in_flight = 10};
  EXPECT_EQ(one.wanted(load, 1, 0, kStart), 1u);
  EXPECT_EQ(one.wanted(load, 1, 0, kStart + kPatience - 1ns), 1u);
  EXPECT_EQ(one.wanted(load, 1, 0, kStart + kPatience), 2u);
}

TEST(Garden, ForgetsAWaitThatWasInterrupted) {
  Garden one = garden(1, 8);
  const Load load = {.waiting = 5, .in_flight = 10};
  one.wanted(load, 1, 0, kStart);
  one.wanted({.in_flight = 10}, 1, 0, kStart + kPatience / 2);
  EXPECT_EQ(one.wanted(load, 1, 0, kStart + kPatience), 1u);
  EXPECT_EQ(one.wanted(load, 1, 0, kStart + kPatience * 2), 2u);
}

TEST(Garden, DoesNotGrowWhileWorkersStart) {
  Garden one = garden(1, 8);
  const Load load = {.waiting = 100, .in_flight = 10};
  one.wanted(load, 1, 0, kStart);
  EXPECT_EQ(one.wanted(load, 2, 1, kStart + kPatience), 2u);
  EXPECT_EQ(one.wanted(load, 2, 1, kStart + 1h), 2u);
  EXPECT_EQ(one.wanted(load, 2, 0, kStart + 2h), 4u);
}

TEST(Garden, DoesNotGrowForRequestsThatNobodyWaitsWith) {
  EXPECT_EQ(grown(garden(1, 8), {.in_flight = 50}, 2), 2u);
}

TEST(Garden, GrowsToTheNeedButAtMostDoubles) {
  EXPECT_EQ(grown(garden(1, 99), {.waiting = 10, .in_flight = 40}, 4), 5u);
  EXPECT_EQ(grown(garden(1, 99), {.waiting = 11, .in_flight = 40}, 4), 6u);
  EXPECT_EQ(grown(garden(1, 99), {.waiting = 40, .in_flight = 40}, 4), 8u);
  EXPECT_EQ(grown(garden(1, 99), {.waiting = 41, .in_flight = 40}, 4), 8u);
  EXPECT_EQ(grown(garden(1, 99), {.waiting = 9000, .in_flight = 40}, 4), 8u);
  EXPECT_EQ(grown(garden(1, 5), {.waiting = 9000, .in_flight = 40}, 4), 5u);
}

TEST(Garden, GrowsByOneWhereRequestsWaitAlthoughTheyShouldNotHaveTo) {
  EXPECT_EQ(grown(garden(1, 8), {.waiting = 1, .in_flight = 0}, 4), 5u);
}

TEST(Garden, GrowsFromNothingByOne) { EXPECT_EQ(grown(garden(0, 8), {.waiting = 1000}, 0), 1u); }

TEST(Garden, WantsNobodyWhereNobodyIsNeeded) {
  EXPECT_EQ(garden(0, 8).wanted({}, 0, 0, kStart), 0u);
  Garden one = garden(0, 8);
  one.wanted({}, 1, 0, kStart);
  EXPECT_EQ(one.wanted({}, 1, 0, kStart + 1min), 0u);
}

TEST(Garden, WithstandsNumbersBeyondReason) {
  Garden greedy(1, std::numeric_limits<std::uint32_t>::max(), 1, 1min);
  const Load load = {.waiting = kMost, .in_flight = 10};
  EXPECT_EQ(grown(greedy, load, 3'000'000'000), std::numeric_limits<std::uint32_t>::max());
}

TEST(Garden, ShrinksByOneWhenTheLastOneWasSpareForSoLong) {
  Garden four = garden(1, 8);
  EXPECT_EQ(four.wanted({}, 4, 0, kStart), 4u);
  EXPECT_EQ(four.wanted({}, 4, 0, kStart + 1min - 1ns), 4u);
  EXPECT_EQ(four.wanted({}, 4, 0, kStart + 1min), 3u);
}

TEST(Garden, LetsTheNextOneGoOnlyAfterAsLong) {
  Garden four = garden(1, 8);
  four.wanted({}, 4, 0, kStart);
  EXPECT_EQ(four.wanted({}, 4, 0, kStart + 1min), 3u);
  EXPECT_EQ(four.wanted({}, 3, 0, kStart + 2min - 1ns), 3u);
  EXPECT_EQ(four.wanted({}, 3, 0, kStart + 2min), 2u);
}

TEST(Garden, KeepsTheLastOneWhereAnyLookNeededIt) {
  Garden four = garden(1, 8);
  four.wanted({.in_flight = 30}, 4, 0, kStart);
  four.wanted({.in_flight = 31}, 4, 0, kStart + 30s);
  four.wanted({.in_flight = 30}, 4, 0, kStart + 31s);
  EXPECT_EQ(four.wanted({.in_flight = 30}, 4, 0, kStart + 1min), 4u);
  EXPECT_EQ(four.wanted({.in_flight = 30}, 4, 0, kStart + 91s - 1ns), 4u);
  EXPECT_EQ(four.wanted({.in_flight = 30}, 4, 0, kStart + 91s), 3u);
}

TEST(Garden, CountsWhatWaitsAsNeed) {
  Garden four = garden(1, 8);
  four.wanted({.waiting = 1, .in_flight = 30}, 4, 1, kStart);
  EXPECT_EQ(four.wanted({.waiting = 1, .in_flight = 30}, 4, 1, kStart + 1h), 4u);
}

TEST(Garden, DoesNotShrinkBelowItsLeast) {
  Garden two = garden(2, 8);
  two.wanted({}, 2, 0, kStart);
  EXPECT_EQ(two.wanted({}, 2, 0, kStart + 1h), 2u);
  // The time at its least does not count against one that it gets later.
  EXPECT_EQ(two.wanted({}, 3, 0, kStart + 2h), 3u);
  EXPECT_EQ(two.wanted({}, 3, 0, kStart + 2h + 1min), 2u);
}

TEST(Garden, DoesNotShrinkAtOnceAfterItGrew) {
  Garden one = garden(1, 8);
  const Load burst = {.waiting = 1, .in_flight = 0};
  one.wanted(burst, 2, 0, kStart);
  EXPECT_EQ(one.wanted(burst, 2, 0, kStart + 1min), 3u);
  EXPECT_EQ(one.wanted({}, 3, 0, kStart + 1min + 1s), 3u);
  EXPECT_EQ(one.wanted({}, 3, 0, kStart + 2min), 3u);
  EXPECT_EQ(one.wanted({}, 3, 0, kStart + 2min + 1s), 2u);
}

TEST(Garden, NeverLeavesItsBoundsUnderAnyLoad) {
  std::mt19937 random(7);
  const auto up_to = [&](std::uint32_t most) {
    return static_cast<std::uint32_t>(random() % (most + 1));
  };
  for (int run = 0; run < 200; ++run) {
    const std::uint32_t min = up_to(4);
    const std::uint32_t max = min + up_to(6);
    Garden any(min, max, 1 + up_to(20), std::chrono::seconds(up_to(5)));
    std::uint32_t present = min;
    TimePoint now = kStart;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::milliseconds(up_to(400));
      const Load load = {.waiting = up_to(1) * up_to(50), .in_flight = up_to(100)};
      const std::uint32_t wanted = any.wanted(load, present, up_to(1), now);
      ASSERT_TRUE(wanted >= min && wanted <= max) << wanted << " of " << min << " to " << max;
      ASSERT_TRUE(wanted + 1 >= present && wanted <= std::max(2 * present, 1u)) << present;
      present = wanted;
    }
  }
}

}  // namespace
}  // namespace poolwarden::pool
