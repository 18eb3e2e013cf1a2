// How often the workers of a pool were held at their limits: on files as the kernel writes them,
// and by real processes in real cgroups, of which nothing is left afterwards.

#include "cgroup/limit_hits.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "integration/cgroup/tree_fixture.h"

namespace poolwarden::cgroup {
namespace {

struct LimitHitFiles : testing::Test {
  LimitHitFiles() { std::filesystem::create_directories(group.path + "/0-1"); }
  ~LimitHitFiles() override { std::filesystem::remove_all(group.path); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(group.path + "/" + name) << text;
  }

  Group group{
      testing::TempDir() + "/limit-hits-" + std::to_string(::getpid()), true, {"cpu", "pids"}};
};

TEST_F(LimitHitFiles, AreReadInTheUnitsOfEachVersion) {
  write("cpu.stat", "usage_usec 90\nnr_periods 5\nnr_throttled 4\nthrottled_usec 3000\n");
  write("pids.events", "max 2\n");
  for (const bool unified : {true, false}) {
    group.unified = unified;
    const LimitHits hits = read_limit_hits({group});
    EXPECT_EQ(hits.cpu_periods, 5u);
    EXPECT_EQ(hits.cpu_throttled_periods, 4u);
    EXPECT_EQ(hits.cpu_throttled_usec, 3000u);
    EXPECT_EQ(hits.pids, 2u);
    write("cpu.stat", "nr_periods 5\nnr_throttled 4\nthrottled_time 3000000\n");
  }
}

TEST_F(LimitHitFiles, OfAPoolAreThoseOfItsLeavesAndNotItsOwn) {
  write("cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
  write("pids.events", "max 7\n");  // since Linux 6.11 with those below
  write("0-1/cpu.stat", "nr_periods 5\nnr_throttled 4\nthrottled_usec 3000\n");
  write("0-1/pids.events", "max 7\n");
  std::filesystem::create_directories(group.path + "/1-2");
  write("1-2/cpu.stat", "nr_periods 50\nnr_throttled 40\nthrottled_usec 30000\n");
  const LimitHits hits = read_limit_hits_below({group});
  EXPECT_EQ(hits.cpu_periods, 55u);
  EXPECT_EQ(hits.cpu_throttled_periods, 44u);
  EXPECT_EQ(hits.cpu_throttled_usec, 33000u);
  EXPECT_EQ(hits.pids, 7u);
}

TEST_F(LimitHitFiles, AreAbsentWhereNothingTells) {
  EXPECT_FALSE(read_limit_hits({group}).cpu_periods);
  EXPECT_FALSE(read_limit_hits_below({group}).pids);
  LimitHitsLedger ledger;
  ledger.ended("web", {});
  EXPECT_FALSE(ledger.total("web", ledger.of_ended("web"), {}).cpu_periods);
}

TEST(LimitHitsLedger, NeverGoesBack) {
  LimitHitsLedger ledger;
  EXPECT_EQ(ledger.total("web", {}, {{}, {}, {}, 5}).pids, 5u);
  // The leaf is gone, and has not yet been told of.
  EXPECT_EQ(ledger.total("web", ledger.of_ended("web"), {}).pids, 5u);
  ledger.ended("web", {{}, {}, {}, 6});
  EXPECT_EQ(ledger.total("web", ledger.of_ended("web"), {{}, {}, {}, 1}).pids, 7u);
  EXPECT_EQ(ledger.total("other", ledger.of_ended("other"), {{}, {}, {}, 1}).pids, 1u);
}

struct RealLimitHits : RealTree {
  LimitHits told() const { return tree.pool_usage("web", {}).value().limit_hits; }
  Leaf leaf_with(const LimitValues& limits, std::uint64_t generation) const {
    return tree.make_leaf("web", leaf_name(0, generation), limits, worker::Containment::Required)
        .value();
  }
};

TEST_F(RealLimitHits, OfCpuOutliveTheirCgroup) {
  if (!tree.report().cpu_limits) GTEST_SKIP() << "no cgroup with the controller of cpu";
  std::uint64_t last_seen = 0;
  for (const std::uint64_t generation : {1u, 2u}) {
    const Leaf leaf = leaf_with({.cpu_cores = 0.1}, generation);
    run_in(leaf, [] {
      for (volatile int burning = 1; burning;) {
      }
      return 0;
    });
    // The kernel adds the time when a group goes on, after it has counted the period.
    while (leaf.usage().limit_hits.cpu_throttled_usec.value_or(0) == 0) ::usleep(10'000);
    ASSERT_TRUE(leaf.kill());
    end_of(children.front());
    const LimitHits seen = told();
    EXPECT_GT(seen.cpu_throttled_periods, last_seen);
    ASSERT_TRUE(leaf.remove());
    EXPECT_EQ(told().cpu_throttled_periods, seen.cpu_throttled_periods);
    EXPECT_GE(told().cpu_periods, seen.cpu_throttled_periods);
    EXPECT_GT(told().cpu_throttled_usec, 0u);
    last_seen = seen.cpu_throttled_periods.value();
  }
}

TEST_F(RealLimitHits, OfProcessesOutliveTheirCgroup) {
  if (!tree.report().pids_limits) GTEST_SKIP() << "no cgroup with the controller of pids";
  for (const std::uint64_t generation : {1u, 2u}) {
    const Leaf leaf = leaf_with({.pids = 1}, generation);
    end_of(run_in(leaf, [] { return ::fork() < 0 ? 0 : 1; }));
    EXPECT_EQ(told().pids, generation);
    ASSERT_TRUE(leaf.remove());
    EXPECT_TRUE(leaf.remove());  // as one that is asked twice
    EXPECT_EQ(told().pids, generation);
  }
}

}  // namespace
}  // namespace poolwarden::cgroup
