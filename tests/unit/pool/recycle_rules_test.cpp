// When a worker has done or become too much: each limit at its edge, jitter, and what goes first.

#include "pool/recycle_rules.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>

namespace poolwarden::pool {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kTotal = 1000 * kMiB;
constexpr double kAlmostOne = 1 - 0x1p-53;

Recycle no_limits() {
  Recycle settings;
  settings.over_memory.reset();
  return settings;
}

RecycleLimits with_requests(std::uint64_t requests, std::uint32_t percent, double jitter) {
  Recycle settings = no_limits();
  settings.after_requests = requests;
  settings.jitter_percent = percent;
  return recycle_limits(settings, jitter, kTotal);
}

RecycleLimits with_age(Duration age, std::uint32_t percent, double jitter) {
  Recycle settings = no_limits();
  settings.after_time = age;
  settings.jitter_percent = percent;
  return recycle_limits(settings, jitter, kTotal);
}

WorkerObservation worker_of(std::uint64_t requests, std::optional<std::uint64_t> memory = {},
                            std::optional<std::uint64_t> virtual_memory = {}) {
  WorkerObservation seen;
  seen.requests = requests;
  seen.usage.memory = memory;
  seen.usage.virtual_memory = virtual_memory;
  return seen;
}

TEST(Jitter, IsTheSameForTheSameWorker) {
  EXPECT_EQ(jitter_of(7, WorkerId{3}), jitter_of(7, WorkerId{3}));
}

TEST(Jitter, DiffersByWorkerAndBySeed) {
  std::set<double> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t id = 0; id < 100; ++id) seen.insert(jitter_of(seed, WorkerId{id}));
  }
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(Jitter, SpreadsNeighboursEvenlyFromZeroToJustBelowOne) {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    std::array<int, 10> tenths{};
    for (std::uint64_t id = 1; id <= 10'000; ++id) {
      const double jitter = jitter_of(seed, WorkerId{id});
      ASSERT_GE(jitter, 0.0);
      ASSERT_LT(jitter, 1.0);
      ++tenths.at(static_cast<std::size_t>(jitter * 10));
    }
    for (const int count : tenths) EXPECT_NEAR(count, 1000, 150) << "seed " << seed;
  }
}

TEST(RecycleLimits, AreAbsentWhereNothingIsConfigured) {
  const RecycleLimits limits = recycle_limits(no_limits(), 0.5, kTotal);
  EXPECT_FALSE(limits.requests || limits.age || limits.memory || limits.virtual_memory);
}

TEST(RecycleLimits, AreWhatIsConfiguredWithoutJitter) {
  EXPECT_EQ(with_requests(500, 10, 0).requests, 500u);
  EXPECT_EQ(with_requests(500, 0, kAlmostOne).requests, 500u);
  EXPECT_EQ(with_age(29h, 10, 0).age, Duration(29h));
  EXPECT_EQ(with_age(29h, 0, kAlmostOne).age, Duration(29h));
}

TEST(RecycleLimits, AreShortenedByTheShareOfTheJitter) {
  EXPECT_EQ(with_requests(500, 10, 0.5).requests, 475u);
  EXPECT_EQ(with_requests(500, 10, kAlmostOne).requests, 451u);
  EXPECT_EQ(with_requests(500, 100, 0.5).requests, 250u);
  EXPECT_EQ(with_age(20h, 10, 0.5).age, Duration(19h));
}

TEST(RecycleLimits, CutWholeRequestsOnly) {
  EXPECT_EQ(with_requests(15, 10, 0.5).requests, 15u);  // 0.75 of a request
  EXPECT_EQ(with_requests(15, 10, 0.9).requests, 14u);  // 1.35
}

TEST(RecycleLimits, LeaveOneRequestAtLeast) {
  EXPECT_EQ(with_requests(1, 100, kAlmostOne).requests, 1u);
  EXPECT_EQ(with_requests(2, 100, kAlmostOne).requests, 1u);
  EXPECT_EQ(with_requests(10, 1000, kAlmostOne).requests, 1u);
  EXPECT_EQ(with_age(1ns, 100, kAlmostOne).age, Duration(1ns));
}

TEST(RecycleLimits, StayWithinWhatIsConfiguredForEveryJitter) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t configured : {std::uint64_t{1}, std::uint64_t{10}, kMost}) {
    for (double jitter = 0; jitter < 1; jitter += 0.01) {
      const auto limit = with_requests(configured, 100, jitter).requests;
      ASSERT_TRUE(limit && *limit >= 1 && *limit <= configured) << configured << ' ' << jitter;
    }
  }
}

TEST(RecycleLimits, DoNotJitterMemory) {
  Recycle settings = no_limits();
  settings.jitter_percent = 100;
  settings.over_memory = Percent{60};
  settings.over_virtual_memory = Bytes{5 * kMiB};
  const RecycleLimits limits = recycle_limits(settings, 0.9, kTotal);
  EXPECT_EQ(limits.memory, 600 * kMiB);
  EXPECT_EQ(limits.virtual_memory, 5 * kMiB);
}

TEST(RecycleLimits, TakeNoShareOfAnUnknownTotal) {
  Recycle settings = no_limits();
  settings.over_memory = Percent{60};
  settings.over_virtual_memory = Percent{200};
  const RecycleLimits limits = recycle_limits(settings, 0, 0);
  EXPECT_FALSE(limits.memory);
  EXPECT_FALSE(limits.virtual_memory);
  EXPECT_FALSE(due_reason(limits, worker_of(0, kTotal, kTotal), 1h));
}

TEST(RecycleLimits, KeepSizesWhereTheTotalIsUnknown) {
  Recycle settings = no_limits();
  settings.over_memory = Bytes{kMiB};
  EXPECT_EQ(recycle_limits(settings, 0, 0).memory, kMiB);
}

TEST(DueReason, IsNoneWithoutLimits) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(due_reason({}, worker_of(kMost, kMost, kMost), Duration::max()));
}

TEST(DueReason, IsRequestsFromTheLastOneOn) {
  const RecycleLimits limits = with_requests(500, 0, 0);
  EXPECT_FALSE(due_reason(limits, worker_of(499), 1h));
  EXPECT_EQ(due_reason(limits, worker_of(500), 1h), RecycleReason::Requests);
  EXPECT_EQ(due_reason(limits, worker_of(501), 1h), RecycleReason::Requests);
}

TEST(DueReason, IsTimeFromTheAgeOn) {
  const RecycleLimits limits = with_age(29h, 0, 0);
  EXPECT_FALSE(due_reason(limits, worker_of(0), 29h - 1ns));
  EXPECT_EQ(due_reason(limits, worker_of(0), 29h), RecycleReason::Time);
  EXPECT_EQ(due_reason(limits, worker_of(0), 30h), RecycleReason::Time);
}

TEST(DueReason, IsPrivateMemoryForWhatTheWorkerHolds) {
  RecycleLimits limits;
  limits.memory = 600 * kMiB;
  EXPECT_FALSE(due_reason(limits, worker_of(0, 600 * kMiB - 1, kTotal), 1h));
  EXPECT_EQ(due_reason(limits, worker_of(0, 600 * kMiB), 1h), RecycleReason::PrivateMemory);
}

TEST(DueReason, IsMemoryForAddressSpace) {
  RecycleLimits limits;
  limits.virtual_memory = 600 * kMiB;
  EXPECT_FALSE(due_reason(limits, worker_of(0, kTotal, 600 * kMiB - 1), 1h));
  EXPECT_EQ(due_reason(limits, worker_of(0, {}, 600 * kMiB), 1h), RecycleReason::Memory);
}

TEST(DueReason, KnowsNothingOfMemoryThatWasNotLookedAt) {
  RecycleLimits limits;
  limits.memory = 1;
  limits.virtual_memory = 1;
  EXPECT_FALSE(due_reason(limits, worker_of(0), 1h));
}

TEST(DueReason, IsTheMostUrgentOfSeveral) {
  RecycleLimits limits{.requests = 1, .age = 1s, .memory = 1, .virtual_memory = 1};
  const WorkerObservation seen = worker_of(1, 1, 1);
  EXPECT_EQ(due_reason(limits, seen, 1s), RecycleReason::PrivateMemory);
  limits.memory.reset();
  EXPECT_EQ(due_reason(limits, seen, 1s), RecycleReason::Memory);
  limits.virtual_memory.reset();
  EXPECT_EQ(due_reason(limits, seen, 1s), RecycleReason::Requests);
  limits.requests.reset();
  EXPECT_EQ(due_reason(limits, seen, 1s), RecycleReason::Time);
}

}  // namespace
}  // namespace poolwarden::pool
