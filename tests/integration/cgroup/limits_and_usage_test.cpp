// Limits and usage on the files of v2, written into a folder: this machine's memory is on v1.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cgroup/freezer.h"
#include "cgroup/kernel_files.h"
#include "cgroup/leaf.h"
#include "cgroup/limits.h"
#include "cgroup/memory_notice.h"
#include "cgroup/read_usage.h"

namespace poolwarden::cgroup {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct V2Files : testing::Test {
  V2Files() { std::filesystem::create_directories(group.path); }
  ~V2Files() override { std::filesystem::remove_all(group.path); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(group.path + "/" + name) << text;
  }
  std::string read(const std::string& name) const {
    return read_text(group.path + "/" + name).value_or("absent");
  }

  Group group{
      testing::TempDir() + "/v2-" + std::to_string(::getpid()), true, {"memory", "cpu", "pids"}};
};

TEST_F(V2Files, LimitsAreWrittenWhereTheyBelong) {
  for (const char* name :
       {"memory.max", "memory.high", "memory.swap.max", "memory.oom.group", "cpu.max", "pids.max"})
    write(name, "");
  LimitValues limits;
  limits.memory = 1024;
  limits.memory_high = 512;
  limits.cpu_cores = 1.5;
  limits.pids = 7;
  const AppliedLimits applied = apply_limits({group}, limits);
  EXPECT_THAT(applied.failed, IsEmpty());
  EXPECT_THAT(applied.weakened, IsEmpty());
  EXPECT_EQ(read("memory.max"), "1024");
  EXPECT_EQ(read("memory.high"), "512");
  EXPECT_EQ(read("memory.swap.max"), "0");
  EXPECT_EQ(read("memory.oom.group"), "1");
  EXPECT_EQ(read("cpu.max"), "150000 100000");
  EXPECT_EQ(read("pids.max"), "7");
}

// Both versions: the file and its value, of the worker and of its pool.
TEST_F(V2Files, AWeightIsThatOfTheWorkerAndOfItsPool) {
  const auto weigh = [this](std::optional<std::uint64_t> weight) {
    LimitValues limits;
    limits.cpu_weight = weight;
    Group leaf = group;
    leaf.path += "/leaf";
    return apply_limits({leaf}, limits).failed;
  };
  std::filesystem::create_directories(group.path + "/leaf");
  EXPECT_EQ(weigh(50).size(), 1u) << "there is no such file";
  for (const char* name : {"cpu.weight", "leaf/cpu.weight", "cpu.shares", "leaf/cpu.shares"})
    write(name, "");
  EXPECT_THAT(weigh(250), IsEmpty());
  EXPECT_EQ(read("cpu.weight"), "250");
  EXPECT_EQ(read("leaf/cpu.weight"), "250");
  EXPECT_THAT(weigh({}), IsEmpty());
  EXPECT_EQ(read("cpu.weight"), "100") << "what its pool had before is undone";
  group.unified = false;
  const std::pair<std::uint64_t, const char*> expected[] = {
      {1, "10"}, {50, "512"}, {100, "1024"}, {10000, "102400"}};
  for (const auto& [weight, shares] : expected) {
    EXPECT_THAT(weigh(weight), IsEmpty());
    EXPECT_EQ(read("leaf/cpu.shares"), shares);
    EXPECT_EQ(read("cpu.shares"), shares);
  }
}

TEST_F(V2Files, ALimitThatCannotBeWrittenIsNamedWithItsFile) {
  LimitValues limits;
  limits.pids = 7;
  const auto failed = apply_limits({group}, limits).failed;
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_THAT(failed[0].message, HasSubstr("limits.pids"));
  EXPECT_THAT(failed[0].message, HasSubstr(group.path + "/pids.max"));
}

TEST_F(V2Files, AMissingControllerIsNamed) {
  group.controllers.clear();
  LimitValues limits;
  limits.memory = 1024;
  const auto failed = apply_limits({group}, limits).failed;
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_THAT(failed[0].message, HasSubstr("no writable cgroup has the memory controller"));
}

TEST_F(V2Files, ItIsSaidWhyNothingStandsInForALimit) {
  group.controllers.clear();
  LimitValues limits;
  limits.memory = limits.memory_high = 1024;
  limits.cpu_cores = 1;
  limits.cpu_weight = 50;
  limits.pids = 7;
  const auto failed = apply_limits({group}, limits).failed;
  ASSERT_EQ(failed.size(), 5u);
  EXPECT_THAT(failed[0].message,
              AllOf(HasSubstr("RLIMIT_AS"), HasSubstr("recycle.over_memory works")));
  EXPECT_THAT(failed[2].message, AllOf(HasSubstr("RLIMIT_CPU"), HasSubstr("limits.cpu_action")));
  EXPECT_THAT(failed[3].message, HasSubstr("limits.cpu_weight: no writable cgroup has the cpu"));
  EXPECT_THAT(failed[4].message, HasSubstr("RLIMIT_NPROC"));
}

TEST_F(V2Files, SwapThatCannotBeLimitedIsToldOfOnlyWhereThereIsAny) {
  LimitValues limits;
  limits.memory = 1024;
  write("memory.max", "");
  write("memory.limit_in_bytes", "");
  write("meminfo", "MemTotal: 1000 kB\nSwapTotal: 0 kB\n");
  EXPECT_THAT(apply_limits({group}, limits, group.path + "/meminfo").weakened, IsEmpty());
  write("meminfo", "MemTotal: 1000 kB\nSwapTotal: 4 kB\n");
  for (const bool unified : {true, false}) {
    group.unified = unified;
    const AppliedLimits applied = apply_limits({group}, limits, group.path + "/meminfo");
    EXPECT_THAT(applied.failed, IsEmpty());
    const std::string file = unified ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes";
    EXPECT_THAT(applied.weakened, ElementsAre(AllOf(HasSubstr("limits.memory"), HasSubstr(file),
                                                    HasSubstr("swapaccount=1"))));
    write(file.substr(1), "");
    EXPECT_THAT(apply_limits({group}, limits, group.path + "/meminfo").weakened, IsEmpty());
  }
  EXPECT_EQ(read("memory.memsw.limit_in_bytes"), "1024");
}

TEST_F(V2Files, UsageIsRead) {
  write("memory.current", "1000\n");
  write("memory.peak", "2000\n");
  write("memory.max", "max\n");
  write("memory.high", "900\n");
  write("memory.stat", "anon 10\nfile 20\ninactive_file 30\n");
  write("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  write("cpu.stat",
        "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 5\nnr_throttled 6\n"
        "throttled_usec 7\n");
  write("cpu.max", "50000 100000\n");
  write("pids.current", "3\n");
  write("pids.max", "max\n");
  write("pids.events", "max 8\n");
  write("io.stat", "8:0 rbytes=100 wbytes=200 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n");
  write("memory.pressure",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=11\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n");
  const Usage usage = read_usage({group});
  EXPECT_EQ(usage.memory_current, 1000u);
  EXPECT_EQ(usage.memory_peak, 2000u);
  EXPECT_EQ(usage.memory_limit, std::nullopt);
  EXPECT_EQ(usage.memory_high, 900u);
  EXPECT_EQ(usage.memory_anon, 10u);
  EXPECT_EQ(usage.memory_inactive_file, 30u);
  EXPECT_THAT(usage.memory_events, testing::Contains(Pair("oom_kill", 4u)));
  EXPECT_EQ(usage.cpu_user_usec, 10u);
  EXPECT_EQ(usage.cpu_system_usec, 20u);
  EXPECT_EQ(usage.limit_hits.cpu_throttled_periods, 6u);
  EXPECT_EQ(usage.cpu_limit_cores, 0.5);
  EXPECT_EQ(usage.pids_current, 3u);
  EXPECT_EQ(usage.pids_limit, std::nullopt);
  EXPECT_EQ(usage.limit_hits.pids, 8u);
  EXPECT_EQ(usage.io_read_bytes, 101u);
  EXPECT_EQ(usage.io_written_bytes, 202u);
  EXPECT_EQ(usage.pressure_memory.waiting, 11u);
  EXPECT_EQ(usage.pressure_memory.stalled, 12u);
  EXPECT_EQ(read_oom_kills({group}), 4u);
  EXPECT_EQ(read_own_oom_kills({group}), 4u);
}

TEST_F(V2Files, OomKillsOfV1AreThoseOfACgroupAndAllBelow) {
  group.unified = false;
  EXPECT_FALSE(read_oom_kills({group}));
  const std::string control = "oom_kill_disable 0\nunder_oom 0\noom_kill ";
  write("memory.oom_control", control + "1\n");
  std::filesystem::create_directories(group.path + "/below/further");
  write("below/memory.oom_control", control + "2\n");
  write("below/further/memory.oom_control", control + "4\n");
  EXPECT_EQ(read_oom_kills({group}), 7u);
  EXPECT_EQ(read_own_oom_kills({group}), 1u);
}

TEST_F(V2Files, TheWorkingSetIsWhatIsHeldWithoutInactivePageCache) {
  EXPECT_FALSE(read_working_set({group}));
  write("memory.current", "1000\n");
  EXPECT_EQ(read_working_set({group}), 1000u);
  write("memory.stat", "anon 10\nzinactive_file 7\ninactive_file 300\nactive_file 5\n");
  EXPECT_EQ(read_working_set({group}), 700u);
  write("memory.stat", "inactive_file 1001\n");
  EXPECT_EQ(read_working_set({group}), 0u);
}

TEST_F(V2Files, TheWorkingSetOfV1HasOtherNames) {
  group.unified = false;
  write("memory.usage_in_bytes", "1000\n");
  write("memory.stat", "inactive_file 1\ntotal_inactive_file 300\n");
  EXPECT_EQ(read_working_set({group}), 700u);
  write("memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(read_memory_limit({group}));
  write("memory.limit_in_bytes", "4096\n");
  EXPECT_EQ(read_memory_limit({group}), 4096u);
}

TEST_F(V2Files, WhoeverIsHeldAtALimitIsTold) {
  write("memory.events", "high 0\n");
  EXPECT_FALSE(open_memory_notice({group}, 1));  // nothing is ever told without a limit
  write("memory.max", "max\n");
  EXPECT_FALSE(open_memory_notice({group}, 1));
  write("memory.high", "4096\n");
  const auto notice = open_memory_notice({group}, 1);
  ASSERT_TRUE(notice);
  char buffer[4096];
  EXPECT_LT(::read(notice->get(), buffer, sizeof buffer), 0);
  write("memory.events", "high 1\n");
  EXPECT_GT(::read(notice->get(), buffer, sizeof buffer), 0);
}

TEST_F(V2Files, MemoryIsTakenBackByTheSize) {
  write("memory.current", "1000\n");
  const Leaf leaf({group}, {});
  const auto order = leaf.reclaim_order();
  ASSERT_TRUE(order);
  EXPECT_EQ(order->path, group.path + "/memory.reclaim");
  EXPECT_EQ(order->text, "1000");
  EXPECT_FALSE(Leaf().reclaim_order());
}

TEST_F(V2Files, FreezingUsesWhatThereIs) {
  Group v1 = group;
  v1.unified = false;
  v1.controllers = {"freezer"};
  EXPECT_FALSE(freeze({group, v1}));  // neither file is there
  write("freezer.state", "");
  EXPECT_TRUE(freeze({group, v1}));  // a v2 without cgroup.freeze, before Linux 5.2
  EXPECT_EQ(read("freezer.state"), "FROZEN");
  write("cgroup.freeze", "");
  EXPECT_TRUE(freeze({group}));
  EXPECT_EQ(read("cgroup.freeze"), "1");
  thaw({group, v1});
  EXPECT_EQ(read("cgroup.freeze"), "0");
  EXPECT_EQ(read("freezer.state"), "THAWED");
}

TEST_F(V2Files, WhatIsNotThereIsAbsentAndNotZero) {
  const Usage usage = read_usage({group});
  EXPECT_FALSE(usage.memory_current || usage.cpu_user_usec || usage.pids_current ||
               usage.io_read_bytes || usage.memory_limit || usage.pressure_cpu.waiting);
  EXPECT_THAT(usage.memory_events, IsEmpty());
  EXPECT_FALSE(read_oom_kills({group}));
}

}  // namespace
}  // namespace poolwarden::cgroup
