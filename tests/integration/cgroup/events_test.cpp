// Whose limit was met, on the files of both versions as the kernel writes them.

#include "cgroup/events.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cgroup/leaf.h"

namespace poolwarden::cgroup {
namespace {

struct Events : testing::Test {
  Events() { std::filesystem::create_directories(path + "/below/further"); }
  ~Events() override { std::filesystem::remove_all(path); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
  }
  LeafTrouble trouble(bool unified) const {
    return Leaf({{path, unified, {"memory", "pids"}}}, {}).trouble();
  }

  std::string path = testing::TempDir() + "/events-" + std::to_string(::getpid());
};

TEST_F(Events, AtItsOwnLimit) {
  write("memory.events", "low 0\nhigh 5\nmax 90\noom 2\noom_kill 3\noom_group_kill 1\n");
  write("memory.events.local", "low 0\nhigh 5\nmax 90\noom 2\noom_kill 3\noom_group_kill 1\n");
  const LeafTrouble found = trouble(true);
  EXPECT_EQ(found.oom_kills, 3u);
  EXPECT_EQ(found.own_limit_hits, 2u);
  EXPECT_EQ(found.limit_hits_below, 0u);
  EXPECT_EQ(found.group_kills, 1u);
  EXPECT_EQ(found.memory_high_events, 5u);
}

// The cgroup of the victim counts the kill, that of the limit the shortage.
TEST_F(Events, AtALimitAbove) {
  write("memory.events", "max 90\noom 0\noom_kill 1\noom_group_kill 0\n");
  write("memory.events.local", "max 90\noom 0\noom_kill 1\noom_group_kill 0\n");
  const LeafTrouble found = trouble(true);
  EXPECT_EQ(found.oom_kills, 1u);
  EXPECT_EQ(found.own_limit_hits, 0u);
  EXPECT_EQ(found.limit_hits_below, 0u);
}

TEST_F(Events, AtALimitBelow) {
  write("memory.events", "max 0\noom 4\noom_kill 1\noom_group_kill 1\n");
  write("memory.events.local", "max 0\noom 1\noom_kill 0\noom_group_kill 0\n");
  const LeafTrouble found = trouble(true);
  EXPECT_EQ(found.oom_kills, 1u);
  EXPECT_EQ(found.own_limit_hits, 1u);
  EXPECT_EQ(found.limit_hits_below, 3u);
  EXPECT_EQ(found.group_kills, 0u);
}

TEST_F(Events, OfAKernelWithoutLocalOnes) {
  write("memory.events", "high 1\noom 4\noom_kill 2\n");
  write("pids.events", "max 6\n");
  const LeafTrouble found = trouble(true);
  EXPECT_EQ(found.own_limit_hits, 4u);
  EXPECT_EQ(found.limit_hits_below, 0u);
  EXPECT_EQ(found.oom_kills, 2u);
  EXPECT_EQ(found.pids_limit_hits, 6u);
}

TEST_F(Events, RefusedForksAreThoseOfItsOwnLimit) {
  write("pids.events", "max 6\n");
  write("pids.events.local", "max 2\n");
  EXPECT_EQ(trouble(true).pids_limit_hits, 2u);
}

TEST_F(Events, OfV1) {
  write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  write("below/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  write("memory.failcnt", "10\n");
  write("memory.memsw.failcnt", "20\n");
  write("below/memory.failcnt", "3\n");
  write("below/further/memory.failcnt", "4\n");
  write("pids.events", "max 8\n");
  const LeafTrouble found = trouble(false);
  EXPECT_EQ(found.oom_kills, 3u);
  EXPECT_EQ(found.own_limit_hits, 30u);
  EXPECT_EQ(found.limit_hits_below, 7u);
  EXPECT_EQ(found.group_kills, 0u);
  EXPECT_EQ(found.pids_limit_hits, 8u);
}

TEST_F(Events, WithoutFilesAreNone) {
  for (const bool unified : {true, false}) {
    const LeafTrouble found = trouble(unified);
    EXPECT_EQ(found.oom_kills + found.own_limit_hits + found.limit_hits_below + found.group_kills +
                  found.pids_limit_hits + found.memory_high_events,
              0u);
  }
  EXPECT_EQ(Leaf().trouble().oom_kills, 0u);
}

}  // namespace
}  // namespace poolwarden::cgroup
