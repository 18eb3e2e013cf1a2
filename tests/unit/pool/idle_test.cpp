// How long a worker has had no request, and how much sooner it leaves when memory is short.

#include "pool/idle.h"

#include <gtest/gtest.h>

#include <limits>

namespace poolwarden::pool {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kReady{1h};

WorkerObservation worker_of(std::uint64_t requests, std::uint32_t in_flight) {
  WorkerObservation seen;
  seen.requests = requests;
  seen.in_flight = in_flight;
  return seen;
}

TEST(IdleWatch, CountsFromWhenTheWorkerWasReady) {
  IdleWatch watch(kReady);
  EXPECT_EQ(watch.idle_for(kReady), Duration::zero());
  watch.observe(worker_of(0, 0), kReady + 1min);
  EXPECT_EQ(watch.idle_for(kReady + 20min), Duration(20min));
}

TEST(IdleWatch, IsNotIdleWithARequest) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(0, 1), kReady + 1min);
  EXPECT_FALSE(watch.idle_for(kReady + 2h));
}

TEST(IdleWatch, CountsFromTheFirstLookWithoutARequest) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(0, 1), kReady + 1min);
  watch.observe(worker_of(1, 0), kReady + 2min);
  watch.observe(worker_of(1, 0), kReady + 3min);
  EXPECT_EQ(watch.idle_for(kReady + 5min), Duration(3min));
}

TEST(IdleWatch, CountsAfreshAfterARequestThatWasNeverAnswered) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(0, 1), kReady + 1min);
  watch.observe(worker_of(0, 0), kReady + 2min);
  EXPECT_EQ(watch.idle_for(kReady + 2min), Duration::zero());
}

TEST(IdleWatch, NoticesARequestThatCameAndWentBetweenTwoLooks) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(5, 0), kReady + 1min);
  EXPECT_EQ(watch.idle_for(kReady + 1min), Duration::zero());
  watch.observe(worker_of(6, 0), kReady + 2min);
  EXPECT_EQ(watch.idle_for(kReady + 3min), Duration(1min));
}

TEST(IdleWatch, NoticesARequestAtTheWrapOfTheCounter) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(std::numeric_limits<std::uint64_t>::max(), 0), kReady + 1min);
  watch.observe(worker_of(0, 0), kReady + 2min);
  EXPECT_EQ(watch.idle_for(kReady + 3min), Duration(1min));
}

TEST(IdleWatch, DoesNotCountWhatItWasAskedWhileBusyTwice) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(3, 1), kReady + 1min);
  watch.observe(worker_of(3, 0), kReady + 2min);
  watch.observe(worker_of(3, 0), kReady + 9min);
  EXPECT_EQ(watch.idle_for(kReady + 10min), Duration(8min));
}

TEST(IdleWatch, CountsFromWhenItWasWoken) {
  IdleWatch watch(kReady);
  watch.observe(worker_of(0, 0), kReady + 20min);
  watch.woken(kReady + 30min);
  watch.observe(worker_of(0, 0), kReady + 31min);
  EXPECT_EQ(watch.idle_for(kReady + 35min), Duration(5min));
}

TEST(IdleDivisor, FollowsTheStepsOfTheThreshold) {
  struct Step {
    std::uint64_t used;
    std::uint32_t divisor;
  };
  // The threshold is 50% of 2000.
  const Step steps[] = {{0, 1},    {750, 1},   {799, 1},   {800, 2},   {849, 2},
                        {850, 4},  {899, 4},   {900, 8},   {949, 8},   {950, 16},
                        {999, 16}, {1000, 32}, {1001, 32}, {2000, 32}, {1'000'000, 32}};
  for (const Step& step : steps)
    EXPECT_EQ(idle_divisor(50, step.used, 2000), step.divisor) << step.used;
}

TEST(IdleDivisor, ReachesAStepNotBeforeItsLastByte) {
  // 80% of 1001 are 800.8 bytes.
  EXPECT_EQ(idle_divisor(100, 800, 1001), 1u);
  EXPECT_EQ(idle_divisor(100, 801, 1001), 2u);
}

TEST(IdleDivisor, KnowsThresholdsAboveTheTotal) {
  EXPECT_EQ(idle_divisor(200, 1599, 1000), 1u);
  EXPECT_EQ(idle_divisor(200, 1600, 1000), 2u);
}

TEST(IdleDivisor, IsOneWhereSomethingIsNotKnown) {
  EXPECT_EQ(idle_divisor(std::nullopt, 1000, 1000), 1u);
  EXPECT_EQ(idle_divisor(50, std::nullopt, 1000), 1u);
  EXPECT_EQ(idle_divisor(50, 1000, 0), 1u);
  EXPECT_EQ(idle_divisor(0, 1000, 1000), 1u);
}

TEST(IdleDivisor, DoesNotOverflow) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(idle_divisor(100, kMost, kMost), 32u);
  EXPECT_EQ(idle_divisor(100, kMost / 2, kMost), 1u);
  EXPECT_EQ(idle_divisor(100, kMost / 100 * 81, kMost), 2u);
  EXPECT_EQ(idle_divisor(10'000, kMost / 2, kMost), 1u);
}

}  // namespace
}  // namespace poolwarden::pool
