// Whose limit was met: on the files of both versions as the kernel writes them, and by real
// processes in real cgroups.

#include "cgroup/events.h"

#include <sys/mman.h>

#include <filesystem>
#include <fstream>

#include "cgroup/kernel_files.h"
#include "integration/cgroup/tree_fixture.h"

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

TEST_F(Events, OfAV1ThatDoesNotCountThem) {
  write("memory.failcnt", "0\n");
  write("memory.limit_in_bytes", "4096\n");
  write("memory.max_usage_in_bytes", "4095\n");
  EXPECT_EQ(trouble(false).own_limit_hits, 0u);
  write("memory.max_usage_in_bytes", "4096\n");
  EXPECT_EQ(trouble(false).own_limit_hits, 1u);
}

TEST_F(Events, OfCgroupsAboveOnV1) {
  const auto above = [this] {
    return Leaf({{path + "/below/further", false, {"memory"}}}, {}).limit_hits_above();
  };
  EXPECT_EQ(above(), 0u);
  write("memory.limit_in_bytes", "4096\n");
  write("memory.failcnt", "10\n");
  write("below/memory.limit_in_bytes", "4096\n");
  write("below/memory.failcnt", "2\n");
  write("below/further/memory.failcnt", "100\n");
  EXPECT_EQ(above(), 12u);
  write("memory.failcnt", "0\n");
  write("memory.max_usage_in_bytes", "4096\n");
  EXPECT_EQ(above(), 3u) << "a kernel that does not count them";
  EXPECT_EQ(Leaf({{path + "/below", true, {"memory"}}}, {}).limit_hits_above(), 0u);
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

constexpr std::uint64_t kMebibyte = 1 << 20;

int eat(std::uint64_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory == MAP_FAILED ? 1 : 0;
}

struct RealTrouble : RealTree {
  void SetUp() override {
    RealTree::SetUp();
    if (!IsSkipped() && !(tree.report().memory_limits && tree.report().pids_limits))
      GTEST_SKIP() << "no cgroup with the controllers of memory and pids can be written";
  }
  Leaf leaf_with(const LimitValues& limits) {
    auto leaf = tree.make_leaf("web", "0-1", limits, worker::Containment::BestEffort);
    EXPECT_TRUE(leaf);
    EXPECT_TRUE(leaf->unenforced().empty()) << leaf->unenforced().front();
    return *leaf;
  }
};

TEST_F(RealTrouble, IsNoneWithoutAny) {
  const Leaf leaf = leaf_with({.memory = 64 * kMebibyte, .pids = 10});
  EXPECT_EQ(end_of(run_in(leaf, [] { return eat(4 * kMebibyte); })), 0);
  const LeafTrouble found = leaf.trouble();
  EXPECT_EQ(found.oom_kills + found.own_limit_hits + found.limit_hits_below + found.group_kills +
                found.pids_limit_hits,
            0u);
}

TEST_F(RealTrouble, AtItsOwnLimitIsItsOwn) {
  const Leaf leaf = leaf_with({.memory = 16 * kMebibyte});
  EXPECT_TRUE(WIFSIGNALED(end_of(run_in(leaf, [] { return eat(64 * kMebibyte); }))));
  EXPECT_GE(leaf.trouble().oom_kills, 1u);
  EXPECT_GE(leaf.trouble().own_limit_hits, 1u);
  EXPECT_EQ(leaf.trouble().limit_hits_below, 0u);
}

TEST_F(RealTrouble, AtALimitAboveIsNotItsOwn) {
  const Leaf leaf = leaf_with({.memory = 256 * kMebibyte});
  const std::string path = tree.memory_cgroup("web", "0-1");
  const std::string pool = path.substr(0, path.rfind('/'));
  const bool unified = read_text(pool + "/memory.max").has_value();
  ASSERT_TRUE(write_text(pool + (unified ? "/memory.max" : "/memory.limit_in_bytes"),
                         std::to_string(16 * kMebibyte)));
  if (unified) (void)write_text(pool + "/memory.swap.max", "0");
  EXPECT_TRUE(WIFSIGNALED(end_of(run_in(leaf, [] { return eat(64 * kMebibyte); }))));
  EXPECT_GE(leaf.trouble().oom_kills, 1u);
  EXPECT_EQ(leaf.trouble().own_limit_hits, 0u);
}

TEST_F(RealTrouble, ForksThatAreRefusedAreCounted) {
  const Leaf leaf = leaf_with({.pids = 1});
  const int status = end_of(run_in(leaf, [] {
    const pid_t refused = ::fork();
    if (refused == 0) ::_exit(0);
    return refused < 0 ? 7 : 0;
  }));
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(leaf.trouble().pids_limit_hits, 1u);
}

}  // namespace
}  // namespace poolwarden::cgroup
