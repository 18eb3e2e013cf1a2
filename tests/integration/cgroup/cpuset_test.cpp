// CPUs by cgroup: on files as v1 has them, and with real processes in real cpusets.

#include "cgroup/cpuset.h"

#include <gmock/gmock.h>
#include <sched.h>

#include <filesystem>
#include <fstream>

#include "cgroup/kernel_files.h"
#include "integration/cgroup/places.h"
#include "integration/cgroup/tree_fixture.h"

namespace poolwarden::cgroup {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

struct CpusetFiles : testing::Test {
  CpusetFiles() { std::filesystem::create_directories(group.path); }
  ~CpusetFiles() override { std::filesystem::remove_all(above); }

  void write(const std::string& path, const std::string& text) const {
    std::ofstream(path) << text;
  }

  std::string above = testing::TempDir() + "/cpuset-" + std::to_string(::getpid());
  Group group{above + "/web", false, {"cpuset"}};
};

TEST_F(CpusetFiles, ANewOneOfV1GetsWhatTheOneAboveHas) {
  write(above + "/cpuset.cpus", "0-3\n");
  write(above + "/cpuset.mems", "0\n");
  write(group.path + "/cpuset.cpus", "\n");
  write(group.path + "/cpuset.mems", "\n");
  ASSERT_TRUE(inherit_cpuset(group));
  EXPECT_EQ(read_text(group.path + "/cpuset.cpus"), "0-3");
  EXPECT_EQ(read_text(group.path + "/cpuset.mems"), "0");
}

TEST_F(CpusetFiles, OneThatHasSomeKeepsThem) {
  write(above + "/cpuset.cpus", "0-3\n");
  write(group.path + "/cpuset.cpus", "1\n");
  write(group.path + "/cpuset.mems", "0\n");
  ASSERT_TRUE(inherit_cpuset(group));
  EXPECT_EQ(read_text(group.path + "/cpuset.cpus"), "1\n");
}

TEST_F(CpusetFiles, WithNothingAboveNothingCanBeHad) {
  write(above + "/cpuset.cpus", "\n");
  write(group.path + "/cpuset.cpus", "\n");
  const auto inherited = inherit_cpuset(group);
  ASSERT_FALSE(inherited);
  EXPECT_THAT(inherited.error().message, HasSubstr(above + "/cpuset.cpus is empty"));
}

TEST_F(CpusetFiles, OthersAreLeftAlone) {
  group.controllers = {"memory"};
  EXPECT_TRUE(inherit_cpuset(group));
  group = {group.path, true, {"cpuset"}};  // v2 has no need of it
  EXPECT_TRUE(inherit_cpuset(group));
}

// sched_setaffinity(2) to each of the CPUs; how many it is given.
int ask_for(const cpu_set_t& cpus) {
  ::sched_setaffinity(0, sizeof cpus, &cpus);
  cpu_set_t given;
  ::sched_getaffinity(0, sizeof given, &given);
  return CPU_COUNT(&given);
}

struct RealCpuset : RealTree {
  RealCpuset() { ::sched_getaffinity(0, sizeof cpus, &cpus); }
  void SetUp() override {
    RealTree::SetUp();
    if (IsSkipped()) return;
    if (!tree.report().cpusets) GTEST_SKIP() << "no cgroup with the cpuset controller";
    if (CPU_COUNT(&cpus) < 2) GTEST_SKIP() << "there is one CPU only";
  }

  std::string one_cpu() const {
    int cpu = 0;
    while (!CPU_ISSET(cpu, &cpus)) ++cpu;
    return std::to_string(cpu);
  }
  int cpus_in(const Tree& where, const LimitValues& limits) {
    const auto leaf = where.make_leaf("web", "0-1", limits, worker::Containment::Required);
    EXPECT_TRUE(leaf);
    EXPECT_THAT(leaf->unenforced(), IsEmpty());
    const int status = end_of(run_in(*leaf, [this] { return ask_for(cpus); }));
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  cpu_set_t cpus{};
};

TEST_F(RealCpuset, AWorkerCannotHaveMoreThanItsOwn) {
  LimitValues limits;
  limits.cpus = one_cpu();
  EXPECT_EQ(cpus_in(tree, limits), 1);
}

TEST_F(RealCpuset, WithoutTheLimitItHasAll) { EXPECT_EQ(cpus_in(tree, {}), CPU_COUNT(&cpus)); }

TEST_F(RealCpuset, CpusThatThereAreNotAreToldOf) {
  LimitValues limits;
  limits.cpus = "99999";  // beyond what any kernel is built for
  const auto leaf = tree.make_leaf("web", "0-1", limits, worker::Containment::Required);
  ASSERT_TRUE(leaf);  // whoever binds the worker without a cgroup is told so
  ASSERT_EQ(leaf->unenforced().size(), 1u);
  EXPECT_THAT(leaf->unenforced().front(),
              AllOf(HasSubstr("sched_setaffinity(2) alone"),
                    ContainsRegex("; the cgroup above has CPUs [0-9]")));
}

TEST(NoCpuset, IsSaid) {
  const Tree tree = Tree::open(kNoCgroups, "poolwarden-test");
  EXPECT_FALSE(tree.report().cpusets);
  EXPECT_THAT(tree.report().stand_ins,
              testing::ElementsAre(HasSubstr("sched_setaffinity(2) alone")));
}

}  // namespace
}  // namespace poolwarden::cgroup
