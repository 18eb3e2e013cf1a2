// A worker and its whole tree are held together and end together; limits hold for it alone. Each
// with the cgroups of this machine, with those of v1 alone, and without any, as in a default
// container.

#include <signal.h>
#include <sys/prctl.h>

#include "cgroup/hierarchy.h"
#include "cgroup/kernel_files.h"
#include "cgroup/members.h"
#include "integration/process/each_cgroups.h"
#include "process/service_process.h"
#include "process/worker_plan.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::NotStarted;
using diagnosis::Signaled;
using diagnosis::SpawnStage;
using testing::HasSubstr;

struct EachContainment : EachCgroups {};

INSTANTIATE_TEST_SUITE_P(, EachContainment, kEachCgroups, name_of);

TEST_P(EachContainment, AKillTakesTwoHundredDescendantsWithItInNewSessionsToo) {
  const Told& told = spawn(command({program("fork_tree"), "200", "stay"}));
  run_until([&] { return wrote("all started"); });
  ASSERT_EQ(count_alive(descendants()), 200);
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(descendants()), 0);
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

TEST_P(EachContainment, AnExitIsToldWhenItsDescendantsAreGone) {
  const Told& told = spawn(command({program("fork_tree"), "200", "leave"}));
  run_until([&] { return told.exited == 1; });
  ASSERT_EQ(descendants().size(), 200u);
  EXPECT_EQ(count_alive(descendants()), 0);
  EXPECT_EQ(told.evidence.status, ExitStatus(Exited{3}));
}

TEST_P(EachContainment, ASiblingIsLeftAlone) {
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

// Somebody with the right to do so takes a worker's processes out of its cgroup.
struct Elsewhere : HostFixture {
  void SetUp() override {
    if (cgroups_of(::getpid()).empty() || tree.report().cgroup == "none")
      GTEST_SKIP() << "no cgroup can be written here";
  }

  static std::vector<std::string> cgroups_of(int pid) {
    std::vector<std::string> paths;
    const auto own = cgroup::read_text("/proc/" + std::to_string(pid) + "/cgroup");
    for (const auto& hierarchy : cgroup::find_hierarchies(
             cgroup::read_text("/proc/self/mountinfo").value_or(""), own.value_or("")))
      paths.push_back(hierarchy.own.path);
    return paths;
  }

  // Those of the worker, one a hierarchy: <base>/web/1-1.
  static std::vector<std::string> leaves_of(int pid) {
    std::vector<std::string> paths = cgroups_of(pid);
    std::erase_if(paths, [](const std::string& path) { return !path.ends_with("/web/1-1"); });
    return paths;
  }

  // All but `stays` are put into <base>/elsewhere.
  static void move_out(const std::vector<std::string>& leaves, int stays = 0) {
    for (const std::string& leaf : leaves) {
      const std::string base = leaf.substr(0, leaf.size() - std::string("/web/1-1").size());
      ASSERT_TRUE(cgroup::make_directory(base + "/elsewhere"));
      for (const int pid : cgroup::members(leaf)) {
        if (pid == stays) continue;
        ASSERT_TRUE(cgroup::write_text(base + "/elsewhere/cgroup.procs", std::to_string(pid)));
      }
    }
  }

  Told& start_tree() {
    Told& told = spawn(command({program("fork_tree"), "20", "stay"}));
    run_until([&] { return wrote("all started"); });
    return told;
  }
};

TEST_F(Elsewhere, AWorkerWhoseCgroupWasRemovedIsKilledWithItsDescendants) {
  const Told& told = start_tree();
  const auto leaves = leaves_of(told.pid);
  ASSERT_FALSE(leaves.empty());
  move_out(leaves);
  for (const std::string& leaf : leaves) ASSERT_TRUE(cgroup::remove_group(leaf));
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(descendants()), 0);
}

TEST_F(Elsewhere, SoIsOneThatWasMovedAndEndsByItself) {
  const Told& told = start_tree();
  move_out(leaves_of(told.pid));
  ::kill(told.pid, SIGKILL);
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(descendants()), 0);
}

TEST_F(Elsewhere, SoAreDescendantsThatWereMovedFromUnderIt) {
  const Told& told = start_tree();
  move_out(leaves_of(told.pid), told.pid);
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(count_alive(descendants()), 0);
}

TEST_F(Elsewhere, AWorkerThatWasMovedIsSuspendedAllTheSame) {
  const Told& told = start_tree();
  move_out(leaves_of(told.pid));
  ASSERT_TRUE(host.suspend(last_id()));
  run_until([&] { return state_of(told.pid) == 'T'; });
  host.resume(last_id());
  run_until([&] { return state_of(told.pid) == 'S'; });
}

TEST_F(Elsewhere, AfterAllCgroupsWereRemovedTheNextWorkerHasOneAgain) {
  const Told& told = spawn(command({"/bin/true"}));
  run_until([&] { return told.exited == 1; });
  const Told& first = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return first.started == 1; });
  ASSERT_FALSE(tree.leaf_members("web", "2-1").empty());
  host.kill(last_id());
  run_until([&] { return first.exited == 1; });
  tree.remove();
  ASSERT_FALSE(tree.pool_usage("web", {}));
  spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return !tree.leaf_members("web", "3-1").empty(); });
}

// As when somebody removes the cgroup between its making and the clone.
TEST_F(Elsewhere, AChildWhoseCgroupIsGoneIsNotStarted) {
  const auto leaf = tree.make_leaf("web", "gone", {}, worker::Containment::Required);
  ASSERT_TRUE(leaf);
  const auto entry = leaf->open_entry();
  ASSERT_TRUE(entry);
  ASSERT_TRUE(leaf->remove());
  LaunchPlan plan;
  plan.program = "/bin/true";
  plan.arguments = {"/bin/true"};
  for (const auto& file : entry->files) plan.cgroup_files.push_back(file.get());
  plan.unified_directory = entry->unified_directory.get();
  plan.unified_file = entry->unified_file.get();
  std::optional<ExitStatus> status;
  auto child = start_service(*io, known, plan, [&](const ExitStatus& end) { status = end; });
  ASSERT_TRUE(child);
  run_until([&] { return status.has_value(); });
  const auto* end = std::get_if<NotStarted>(&*status);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->stage, SpawnStage::Cgroup);
  EXPECT_EQ(end->error, ENODEV);
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
  EXPECT_EQ(end->error, 0);  // the kernel was not asked, so no errno is to be explained
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
