// The supervisor's subtree in the real cgroups of this machine.

#include "cgroup/tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace poolwarden::cgroup {
namespace {

using worker::Containment;

struct RealTree : testing::Test {
  std::string name = "poolwarden-tree-test-" + std::to_string(::getpid());
  Tree tree = Tree::open({}, name);

  RealTree() {
    if (tree.report().cgroup == "none" || tree.report().cgroup == "v2_readonly")
      reason = "no cgroup can be written here";
  }
  ~RealTree() override {
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    tree.remove_leftovers();
    tree.remove();
  }
  void SetUp() override {
    if (!reason.empty()) GTEST_SKIP() << reason;
  }

  // A process that waits in the leaf.
  pid_t put_process_into(const Leaf& leaf) {
    auto entry = leaf.open_entry();
    EXPECT_TRUE(entry);
    const pid_t child = ::fork();
    if (child == 0) {
      bool entered = true;
      for (const auto& file : entry->files) entered &= ::write(file.get(), "0", 1) == 1;
      if (entry->unified_file) entered &= ::write(entry->unified_file.get(), "0", 1) == 1;
      if (!entered) ::_exit(1);
      for (;;) ::pause();
    }
    children.push_back(child);
    while (leaf.usage().pids_current.value_or(1) == 0 || !leaf.populated()) {
      if (::waitpid(child, nullptr, WNOHANG) == child) {
        ADD_FAILURE() << "the child could not enter its cgroup";
        break;
      }
    }
    return child;
  }

  std::string reason;
  std::vector<pid_t> children;
};

TEST_F(RealTree, ALeafIsPopulatedUntilItIsKilled) {
  const auto leaf = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_TRUE(leaf);
  EXPECT_FALSE(leaf->populated());
  const pid_t child = put_process_into(*leaf);
  EXPECT_TRUE(leaf->populated());
  EXPECT_FALSE(leaf->remove());
  EXPECT_TRUE(leaf->kill());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  children.clear();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(leaf->populated());
  EXPECT_TRUE(leaf->remove());
}

TEST_F(RealTree, WhatAFormerSupervisorLeftIsKilledAndRemoved) {
  const auto leaf = tree.make_leaf("web", "0-1", {}, Containment::Required);
  ASSERT_TRUE(leaf);
  const pid_t child = put_process_into(*leaf);
  const Tree successor = Tree::open({}, name);
  EXPECT_EQ(successor.remove_leftovers(), 1u);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  children.clear();
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

}  // namespace
}  // namespace poolwarden::cgroup
