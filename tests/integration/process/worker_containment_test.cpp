// A worker and its whole tree are held together and end together; limits hold for it alone. Each
// with the cgroups of this machine, and without any, as in a default container.

#include <signal.h>
#include <sys/prctl.h>

#include "integration/process/host_fixture.h"
#include "process/worker_plan.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::NotStarted;
using diagnosis::Signaled;
using diagnosis::SpawnStage;
using testing::HasSubstr;

enum class Cgroups { Real, None };

struct WithAndWithoutCgroups : HostFixture, testing::WithParamInterface<Cgroups> {
  WithAndWithoutCgroups()
      : HostFixture(GetParam() == Cgroups::Real ? cgroup::Places{} : kNoCgroups) {}

  // The pids that fork_tree printed.
  std::vector<int> descendants() const {
    std::vector<int> pids;
    for (const std::string& line : lines)
      if (!line.empty() && std::isdigit(static_cast<unsigned char>(line.front())))
        pids.push_back(std::stoi(line));
    return pids;
  }

  static int count_alive(const std::vector<int>& pids) {
    return static_cast<int>(std::count_if(pids.begin(), pids.end(), is_alive));
  }
};

INSTANTIATE_TEST_SUITE_P(, WithAndWithoutCgroups, testing::Values(Cgroups::Real, Cgroups::None),
                         [](const auto& param) {
                           return param.param == Cgroups::Real ? "Real" : "None";
                         });

TEST_P(WithAndWithoutCgroups, AKillTakesFiftyDescendantsWithItInNewSessionsToo) {
  const Told& told = spawn(command({program("fork_tree"), "50", "stay"}));
  run_until([&] { return wrote("all started"); });
  ASSERT_EQ(count_alive(descendants()), 50);
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(descendants()), 0);
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

TEST_P(WithAndWithoutCgroups, AnExitIsToldWhenItsDescendantsAreGone) {
  const Told& told = spawn(command({program("fork_tree"), "50", "leave"}));
  run_until([&] { return told.exited == 1; });
  ASSERT_EQ(descendants().size(), 50u);
  EXPECT_EQ(count_alive(descendants()), 0);
  EXPECT_EQ(told.evidence.status, ExitStatus(Exited{3}));
}

TEST_P(WithAndWithoutCgroups, ASiblingIsLeftAlone) {
  const Told& sibling = spawn(command({program("fork_tree"), "4", "stay"}));
  run_until([&] { return wrote("all started"); });
  const std::vector<int> others = descendants();
  lines.clear();
  const Told& told = spawn(command({program("fork_tree"), "4", "stay"}));
  run_until([&] { return wrote("all started"); });
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(others), 4);
  EXPECT_EQ(sibling.exited, 0);
}

struct Containment : HostFixture {
  bool has_memory_limits() const { return tree.report().memory_limits; }
};

TEST_F(Containment, AWorkerOverItsMemoryLimitIsKilledAloneAndTheKernelsVerdictIsKept) {
  if (!has_memory_limits()) GTEST_SKIP() << "no cgroup with a memory controller can be written";
  const Told& sibling = spawn(command({"/bin/sleep", "1000"}));
  auto settings = command({program("eat_memory"), "200"});
  settings.limits.memory = Bytes{32 << 20};
  const Told& told = run(settings);
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
  EXPECT_GE(told.evidence.oom_kills, 1u);
  EXPECT_GT(told.evidence.memory_peak, 24u << 20);
  EXPECT_LE(told.evidence.memory_peak, 32u << 20);
  EXPECT_EQ(sibling.exited, 0);
}

TEST_F(Containment, APercentageIsOfTheMemoryThatMayBeUsed) {
  worker::Limits limits;
  limits.memory = Percent{50};
  limits.cpu = Percent{150};
  const auto values = cgroup_limits(limits, 1 << 30);
  EXPECT_EQ(values.memory, 1u << 29);
  EXPECT_EQ(values.cpu_cores, 1.5);
}

TEST_F(Containment, WhatAWorkerAndItsPoolUseCanBeRead) {
  if (!has_memory_limits()) GTEST_SKIP() << "no cgroup with a memory controller can be written";
  auto settings = command({program("eat_memory"), "20"});
  settings.limits.memory = Bytes{64 << 20};
  settings.limits.pids = 10;
  settings.limits.cpu = Percent{50};
  spawn(settings);
  run_until([&] { return wrote("full"); });
  const auto usage = tree.leaf_usage("web", cgroup::leaf_name(1, 1));
  ASSERT_TRUE(usage);
  EXPECT_GT(usage->memory_current.value_or(0), 20u << 20);
  EXPECT_EQ(usage->memory_limit, 64u << 20);
  EXPECT_EQ(usage->pids_current, 1u);
  EXPECT_EQ(usage->pids_limit, 10u);
  EXPECT_EQ(usage->cpu_limit_cores, 0.5);
  EXPECT_TRUE(usage->cpu_user_usec);
  const auto pool = tree.pool_usage("web", {cgroup::leaf_name(1, 1)});
  ASSERT_TRUE(pool);
  EXPECT_GT(pool->memory_current.value_or(0), 20u << 20);
}

struct NoCgroups : HostFixture {
  NoCgroups() : HostFixture(kNoCgroups) {}
};

TEST_F(NoCgroups, AWorkerWithALimitThatCannotBeEnforcedIsNotStarted) {
  auto settings = command({"/bin/true"});
  settings.limits.memory = Bytes{32 << 20};
  const Told& told = run(settings);
  const auto* end = std::get_if<NotStarted>(&told.evidence.status);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->stage, SpawnStage::Cgroup);
  EXPECT_THAT(end->what, HasSubstr("cannot enforce limits.memory"));
}

TEST_F(NoCgroups, UnderBestEffortItRunsAndTheLimitIsNamed) {
  auto settings = command({"/bin/true"});
  settings.limits.memory = Bytes{32 << 20};
  settings.containment = worker::Containment::BestEffort;
  EXPECT_EQ(run(settings).evidence.status, ExitStatus(Exited{0}));
  ASSERT_EQ(unenforced.size(), 1u);
  EXPECT_THAT(unenforced.front(), HasSubstr("limits.memory"));
}

TEST_F(NoCgroups, ItIsSaidWhatIsMissing) {
  EXPECT_EQ(tree.report().cgroup, "none");
  EXPECT_THAT(tree.report().missing, testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace poolwarden::process
