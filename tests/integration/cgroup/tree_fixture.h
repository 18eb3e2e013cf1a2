// The supervisor's subtree in the real cgroups of this machine, and processes in its leaves.

#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cgroup/hierarchy.h"
#include "cgroup/kernel_files.h"
#include "cgroup/tree.h"

namespace poolwarden::cgroup {

struct RealTree : testing::Test {
  std::string name = "poolwarden-tree-test-" + std::to_string(::getpid());
  // Where this process was before the tree moved it.
  std::vector<Hierarchy> before = find_hierarchies(read_text("/proc/self/mountinfo").value_or(""),
                                                   read_text("/proc/self/cgroup").value_or(""));
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

  // A process that does this in the leaf, and ends with its result.
  template <typename Deed>
  pid_t run_in(const Leaf& leaf, Deed deed) {
    auto entry = leaf.open_entry();
    EXPECT_TRUE(entry);
    const pid_t child = ::fork();
    if (child == 0) {
      bool entered = true;
      for (const auto& file : entry->files) entered &= ::write(file.get(), "0", 1) == 1;
      if (entry->unified_file) entered &= ::write(entry->unified_file.get(), "0", 1) == 1;
      ::_exit(entered ? deed() : kNotEntered);
    }
    children.push_back(child);
    return child;
  }

  // A process that waits in the leaf.
  pid_t put_process_into(const Leaf& leaf) {
    const pid_t child = run_in(leaf, [] {
      for (;;) ::pause();
      return 0;
    });
    while (leaf.usage().pids_current.value_or(1) == 0 || !leaf.populated()) {
      if (::waitpid(child, nullptr, WNOHANG) == child) {
        ADD_FAILURE() << "the child could not enter its cgroup";
        break;
      }
    }
    return child;
  }

  // Its wait status, once it has ended.
  int end_of(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == kNotEntered);
    std::erase(children, child);
    return status;
  }

  static constexpr int kNotEntered = 99;
  std::string reason;
  std::vector<pid_t> children;
};

}  // namespace poolwarden::cgroup
