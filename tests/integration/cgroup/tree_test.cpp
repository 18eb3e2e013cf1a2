// The supervisor's subtree in the real cgroups of this machine.

#include "cgroup/tree.h"

#include <gmock/gmock.h>

#include "cgroup/kernel_files.h"
#include "cgroup/members.h"
#include "integration/cgroup/places.h"
#include "integration/cgroup/tree_fixture.h"

namespace poolwarden::cgroup {
namespace {

using worker::Containment;

TEST_F(RealTree, ALeafIsPopulatedUntilItIsKilled) {
  const auto leaf = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_TRUE(leaf);
  EXPECT_FALSE(leaf->populated());
  const pid_t child = put_process_into(*leaf);
  EXPECT_TRUE(leaf->populated());
  EXPECT_FALSE(leaf->remove());
  EXPECT_TRUE(leaf->kill());
  EXPECT_TRUE(WIFSIGNALED(end_of(child)));
  EXPECT_FALSE(leaf->populated());
  EXPECT_TRUE(leaf->remove());
}

TEST_F(RealTree, WhatAFormerSupervisorLeftIsKilledAndRemoved) {
  const auto leaf = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_TRUE(leaf);
  const pid_t child = put_process_into(*leaf);
  const Tree successor = Tree::open({}, name);
  EXPECT_EQ(successor.remove_leftovers(), 1u);
  EXPECT_TRUE(WIFSIGNALED(end_of(child)));
  EXPECT_FALSE(successor.pool_usage("web", {}));
}

TEST_F(RealTree, ALeafLeftEmptyIsMadeAnew) {
  ASSERT_TRUE(tree.make_leaf("web", "0-1", {}, Containment::Required));
  EXPECT_TRUE(tree.make_leaf("web", "0-1", {}, Containment::Required));
}

TEST_F(RealTree, ALeafInUseIsNotGivenTwice) {
  const auto leaf = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_TRUE(leaf);
  put_process_into(*leaf);
  const auto again = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code.value(), EBUSY);
  EXPECT_TRUE(leaf->populated());
}

TEST_F(RealTree, APoolMayHaveTheNameOfOurOwnLeaf) {
  EXPECT_TRUE(tree.make_leaf("supervisor", "0-1", {}, Containment::Required));
  EXPECT_TRUE(tree.pool_usage("supervisor", {}));
}

TEST_F(RealTree, TheMemoryThatMayBeUsedIsNotMoreThanTheMachineHas) {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  EXPECT_LE(tree.available_memory(), pages * size);
  EXPECT_GT(tree.available_memory(), 1u << 20);
}

struct Weights {
  int usual = 0, leaf = 0, pool = 0;
};

// Of the cgroup that the process is in, and of the one above.
Weights weights_of(pid_t pid) {
  Weights found;
  for (const Hierarchy& each :
       find_hierarchies(read_text("/proc/self/mountinfo").value_or(""),
                        read_text("/proc/" + std::to_string(pid) + "/cgroup").value_or(""))) {
    if (!each.own.has("cpu")) continue;
    const std::string file = each.own.unified ? "/cpu.weight" : "/cpu.shares";
    const std::string& path = each.own.path;
    const auto read = [&](const std::string& folder) {
      return std::atoi(read_text(folder + file).value_or("").c_str());
    };
    found = {each.own.unified ? 100 : 1024, read(path), read(path.substr(0, path.rfind('/')))};
  }
  return found;
}

// The kernel's own word for it, in whichever version has the controller.
TEST_F(RealTree, AWeightIsHadUntilThePoolHasNoneAnyMore) {
  if (!tree.report().cpu_limits) GTEST_SKIP() << "no cgroup with the cpu controller here";
  LimitValues limits;
  limits.cpu_weight = 300;
  const auto leaf = tree.make_leaf("web", "0-1", limits, Containment::Required);
  ASSERT_TRUE(leaf);
  const pid_t child = put_process_into(*leaf);
  const Weights found = weights_of(child);
  ASSERT_GT(found.usual, 0);
  EXPECT_EQ(found.leaf, 3 * found.usual);
  EXPECT_EQ(found.pool, 3 * found.usual);
  ASSERT_TRUE(tree.make_leaf("web", "0-2", {}, Containment::Required));
  EXPECT_EQ(weights_of(child).pool, found.usual);
}

TEST(OnlyV1, HoldsWorkersWithoutV2) {
  const std::string name = "poolwarden-v1-test-" + std::to_string(::getpid());
  Tree tree = Tree::open(only_v1(), name);
  if (tree.report().cgroup != "v1") GTEST_SKIP() << "no cgroup of v1 can be written here";
  EXPECT_TRUE(tree.report().memory_limits && tree.report().cpu_limits && tree.report().pids_limits);
  LimitValues limits;
  limits.memory = 64 << 20;
  limits.cpu_cores = 0.5;
  limits.pids = 3;
  const auto leaf = tree.make_leaf("web", "0-1", limits, Containment::Required);
  ASSERT_TRUE(leaf);
  const auto entry = leaf->open_entry();
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->unified_directory);
  EXPECT_EQ(leaf->usage().memory_limit, 64u << 20);
  EXPECT_EQ(leaf->usage().cpu_limit_cores, 0.5);
  EXPECT_EQ(leaf->usage().pids_limit, 3u);
  EXPECT_TRUE(leaf->freeze());
  tree.remove();
  EXPECT_FALSE(tree.pool_usage("web", {}));
}

TEST_F(RealTree, AfterSomebodyRemovedAllCgroupsTheyAreMadeAnew) {
  ASSERT_TRUE(tree.make_leaf("web", "0-1", {}, Containment::Required));
  // On v2 we keep the one above alive by being in it.
  for (const Hierarchy& hierarchy : before) (void)remove_group(hierarchy.own.path + "/" + name);
  ASSERT_FALSE(tree.pool_usage("web", {}));
  LimitValues limits;
  if (tree.report().memory_limits) limits.memory = 64 << 20;
  if (tree.report().pids_limits) limits.pids = 3;
  const auto leaf = tree.make_leaf("web", "0-1", limits, Containment::Required);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->memory_limit(), limits.memory);
  put_process_into(*leaf);
  EXPECT_TRUE(leaf->populated());
}

}  // namespace
}  // namespace poolwarden::cgroup
