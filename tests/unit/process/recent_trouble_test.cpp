// Troubles that are news at the end of a worker, and those that are long past.

#include "process/recent_trouble.h"

#include <gtest/gtest.h>

namespace poolwarden::process {
namespace {

using namespace std::chrono_literals;

cgroup::LeafTrouble struck(std::uint64_t kills, std::uint64_t forks = 0) {
  return {.oom_kills = kills, .own_limit_hits = 2 * kills, .pids_limit_hits = forks};
}

struct RecentTroubles : testing::Test {
  // Once a second, for that long.
  void watch(const cgroup::LeafTrouble& counted, int seconds) {
    for (; seconds > 0; --seconds) recent.look(counted, now += 1s);
  }

  RecentTrouble recent;
  TimePoint now{1h};
};

TEST_F(RecentTroubles, AreAllOfAWorkerThatHasJustBegun) {
  EXPECT_EQ(recent.until(struck(1), now).oom_kills, 1u) << "nobody had looked yet";
  watch(struck(0), 1);
  EXPECT_EQ(recent.until(struck(1), now).oom_kills, 1u);
}

TEST_F(RecentTroubles, AreThoseOfTheLastSeconds) {
  watch(struck(0), 60);
  watch(struck(1, 3), 8);
  EXPECT_EQ(recent.until(struck(1, 3), now).oom_kills, 1u);
  EXPECT_EQ(recent.until(struck(1, 3), now).own_limit_hits, 2u);
  EXPECT_EQ(recent.until(struck(1, 4), now).pids_limit_hits, 4u);
}

TEST_F(RecentTroubles, AreNotThoseOfLongBefore) {
  watch(struck(0), 5);
  watch(struck(1, 3), 15);
  EXPECT_EQ(recent.until(struck(1, 3), now).oom_kills, 0u);
  EXPECT_EQ(recent.until(struck(1, 3), now).pids_limit_hits, 0u);
  EXPECT_EQ(recent.until(struck(2, 3), now).oom_kills, 1u) << "one more since";
  EXPECT_EQ(recent.until(struck(2, 3), now).own_limit_hits, 2u);
  watch(struck(2, 3), 30);
  EXPECT_EQ(recent.until(struck(2, 3), now).oom_kills, 0u);
}

TEST_F(RecentTroubles, AreNoneWhenTheCountIsGone) {
  watch(struck(2), 20);
  EXPECT_EQ(recent.until({}, now).oom_kills, 0u);
}

}  // namespace
}  // namespace poolwarden::process
