// ${NAME} in commands and paths, and which limits need a cgroup.

#include <gtest/gtest.h>

#include "worker/worker_settings.h"

namespace poolwarden::worker {
namespace {

const std::map<std::string, std::string> kEnvironment = {
    {"SOCKET", "/run/w.sock"}, {"N", "3"}, {"TRICK", "${N}"}};

TEST(Expand, ReplacesNamesByTheirValues) {
  EXPECT_EQ(expand("unix:${SOCKET}", kEnvironment), "unix:/run/w.sock");
  EXPECT_EQ(expand("${N}${N}-${SOCKET}!", kEnvironment), "33-/run/w.sock!");
}

TEST(Expand, MakesAnUnknownNameEmpty) { EXPECT_EQ(expand("a${NOPE}b${}c", kEnvironment), "abc"); }

TEST(Expand, LeavesOtherDollarsAlone) {
  EXPECT_EQ(expand("$N $ $", kEnvironment), "$N $ $");
  EXPECT_EQ(expand("costs 5$", kEnvironment), "costs 5$");
  EXPECT_EQ(expand("${N", kEnvironment), "${N");
}

TEST(Expand, ReadsTwoDollarsAsOne) {
  EXPECT_EQ(expand("$${N}", kEnvironment), "${N}");
  EXPECT_EQ(expand("$$$$", kEnvironment), "$$");
  EXPECT_EQ(expand("$$${N}", kEnvironment), "$3");
}

TEST(Expand, DoesNotExpandWhatItPutIn) { EXPECT_EQ(expand("${TRICK}", kEnvironment), "${N}"); }

TEST(Expand, TakesNothing) { EXPECT_EQ(expand("", kEnvironment), ""); }

TEST(Limits, NeedACgroupForMemoryProcessorAndProcessCount) {
  EXPECT_FALSE(needs_cgroup({}));
  EXPECT_FALSE(needs_cgroup({.open_files = 100, .core = Bytes{1}, .affinity = "0-1"}));
  EXPECT_TRUE(needs_cgroup({.memory = Bytes{1}}));
  EXPECT_TRUE(needs_cgroup({.memory_high = Percent{50}}));
  EXPECT_TRUE(needs_cgroup({.cpu_weight = 50}));
  EXPECT_TRUE(needs_cgroup({.cpu = Percent{150}}));
  EXPECT_FALSE(needs_cgroup({.cpu = Percent{150}, .cpu_action = CpuAction::Kill}));
  EXPECT_FALSE(needs_cgroup({.cpu = Percent{150}, .cpu_action = CpuAction::Log}));
  EXPECT_TRUE(needs_cgroup({.pids = 1}));
}

}  // namespace
}  // namespace poolwarden::worker
