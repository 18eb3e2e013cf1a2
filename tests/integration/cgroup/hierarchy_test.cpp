// Finding one's own cgroup, on trees written as containers and machines show them.

#include "cgroup/hierarchy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cgroup/delegation.h"
#include "cgroup/tree.h"

namespace poolwarden::cgroup {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

struct Hierarchies : testing::Test {
  std::string root = testing::TempDir() + "/hierarchies-" + std::to_string(::getpid());

  ~Hierarchies() override { fs::remove_all(root); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }

  std::string mount(const std::string& shown_root, const std::string& point,
                    const std::string& type, const std::string& options) const {
    fs::create_directories(root + point);
    return "30 23 0:28 " + shown_root + " " + root + point + " rw,relatime - " + type + " " + type +
           " " + options + "\n";
  }
};

TEST(OwnDirectory, IsFoundInAllViews) {
  // the whole machine
  EXPECT_EQ(own_directory("/", "/cg", "/system.slice/a"), "/cg/system.slice/a");
  // a cgroup namespace: both are the container's root
  EXPECT_EQ(own_directory("/", "/cg", "/"), "/cg");
  // v1 in Docker: the mount shows the container's part, the path is the machine's
  EXPECT_EQ(own_directory("/docker/abc", "/cg", "/docker/abc"), "/cg");
  EXPECT_EQ(own_directory("/docker/abc", "/cg", "/docker/abc/in"), "/cg/in");
  // a mount that does not show where we are
  EXPECT_EQ(own_directory("/docker/abc", "/cg", "/docker/abcd"), "/cg");
  EXPECT_EQ(own_directory("/", "/cg", "/../other"), "/cg");
}

TEST_F(Hierarchies, V2AndItsControllersAreFound) {
  write("/cg/system.slice/app/cgroup.controllers", "cpu io memory pids\n");
  const auto found =
      find_hierarchies(mount("/", "/cg", "cgroup2", "rw,nsdelegate"), "0::/system.slice/app\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].own.unified);
  EXPECT_EQ(found[0].own.path, root + "/cg/system.slice/app");
  EXPECT_THAT(found[0].own.controllers, ElementsAre("cpu", "io", "memory", "pids"));
}

TEST_F(Hierarchies, AHybridMachineHasV2FirstAndTheOthersByController) {
  fs::create_directories(root + "/memory/group");
  const auto found = find_hierarchies(mount("/", "/cpu", "cgroup", "rw,cpu,cpuacct") +
                                          mount("/", "/memory", "cgroup", "rw,memory") +
                                          mount("/", "/systemd", "cgroup", "rw,name=systemd") +
                                          mount("/", "/unified", "cgroup2", "rw"),
                                      "4:memory:/group\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_TRUE(found[0].own.unified);
  EXPECT_THAT(found[1].own.controllers, UnorderedElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(found[2].own.path, root + "/memory/group");
}

TEST_F(Hierarchies, SpacesInMountPointsAreRead) {
  fs::create_directories(root + "/with space");
  const auto found = find_hierarchies(
      "30 23 0:28 / " + root + "/with\\040space rw - cgroup2 cgroup2 rw\n", "0::/\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].own.path, root + "/with space");
}

TEST_F(Hierarchies, WhereTheMountShowsMoreThanTheNamespaceOneFindsOneselfByPid) {
  write("/cg/system.slice/docker-1.scope/cgroup.procs", "1\n");
  write("/cg/system.slice/docker-2.scope/cgroup.procs", std::to_string(::getpid()) + "\n");
  const auto found = find_hierarchies(mount("/../..", "/cg", "cgroup2", "rw"), "0::/\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].own.path, root + "/cg/system.slice/docker-2.scope");

  // The keeper, which is in the supervisor's leaf
  write("/cg/system.slice/docker-2.scope/cgroup.procs", "");
  write("/cg/system.slice/docker-2.scope/pw/supervisor/cgroup.procs",
        std::to_string(::getpid()) + "\n");
  const auto deeper =
      find_hierarchies(mount("/../..", "/cg", "cgroup2", "rw"), "0::/pw/supervisor\n");
  ASSERT_EQ(deeper.size(), 1u);
  EXPECT_EQ(deeper[0].own.path, root + "/cg/system.slice/docker-2.scope/pw/supervisor");
}

TEST_F(Hierarchies, WhoIsOutsideOfItsNamespaceIsFoundToo) {
  write("/cg/user.slice/a.scope/cgroup.procs", std::to_string(::getpid()) + "\n");
  const auto found =
      find_hierarchies(mount("/../..", "/cg", "cgroup2", "rw"), "0::/../../user.slice/a.scope\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].own.path, root + "/cg/user.slice/a.scope");
}

TEST_F(Hierarchies, BrokenLinesAreSkipped) {
  EXPECT_TRUE(find_hierarchies("nonsense\n- cgroup2\n30 23 0:28 / /x rw -\n", "::\nx\n").empty());
}

TEST(SupervisorLeaf, IsSteppedOutOf) {
  EXPECT_EQ(outside_of_supervisor_leaf("/poolwarden-1a2b3c4d/supervisor"), "");
  EXPECT_EQ(outside_of_supervisor_leaf("/a/poolwarden-1a2b3c4d/supervisor"), "/a");
  EXPECT_EQ(outside_of_supervisor_leaf("/a/poolwarden-doctor-71/supervisor"), "/a");
  EXPECT_EQ(outside_of_supervisor_leaf("/a/poolwarden-test/supervisor", "poolwarden-test"), "/a");
}

TEST(SupervisorLeaf, OfSomebodyElseIsNone) {
  for (const std::string own :
       {"", "/", "/supervisor", "/a/supervisor", "/poolwarden-1a2b3c4d", "/poolwarden-1/supervisor",
        "/system.slice/poolwarden-web.service/supervisor", "/a/poolwarden-doctor-x/supervisor"})
    EXPECT_EQ(outside_of_supervisor_leaf(own, "poolwarden-test"), own);
}

TEST_F(Hierarchies, TheLeastLimitAboveIsWhatMayBeUsed) {
  write("/cg/memory.max", "max\n");
  write("/cg/slice/memory.max", "104857600\n");
  write("/cg/slice/app/memory.max", "209715200\n");
  write("/mountinfo", mount("/", "/cg", "cgroup2", "rw"));
  write("/cgroup", "0::/slice/app\n");
  const Tree tree = Tree::open({root + "/mountinfo", root + "/cgroup"}, "poolwarden-test");
  EXPECT_EQ(tree.available_memory(), 100u << 20);
}

TEST_F(Hierarchies, WhatIsInUseIsThatOfTheGroupWithTheLeastLimit) {
  write("/cg/slice/memory.max", "104857600\n");
  write("/cg/slice/memory.current", "50000000\n");
  write("/cg/slice/memory.stat", "anon 1\ninactive_file 20000000\nactive_file 3\n");
  write("/cg/slice/app/memory.max", "max\n");
  write("/cg/slice/app/memory.current", "7\n");
  const auto found = find_hierarchies(mount("/", "/cg", "cgroup2", "rw"), "0::/slice/app\n");
  const MemoryRoom room = memory_room(found);
  EXPECT_EQ(room.total, 100u << 20);
  EXPECT_EQ(room.used, 30'000'000u);
}

TEST_F(Hierarchies, WithoutALimitTheMachinesMemoryIsWhatThereIs) {
  write("/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    400 kB\n");
  const MemoryRoom room = memory_room({}, root + "/meminfo");
  EXPECT_EQ(room.total, 1000u * 1024);
  EXPECT_EQ(room.used, 600u * 1024);
}

TEST_F(Hierarchies, AReadOnlyV2IsReportedWithItsCure) {
  // Root may write anywhere: a file where the mount would be stands for what cannot be written.
  write("/mountinfo", mount("/", "/cg", "cgroup2", "rw"));
  write("/cgroup", "0::/\n");
  fs::remove_all(root + "/cg");
  std::ofstream(root + "/cg") << "";
  const Tree tree = Tree::open({root + "/mountinfo", root + "/cgroup"}, "poolwarden-test");
  EXPECT_EQ(tree.report().cgroup, "v2_readonly");
  ASSERT_FALSE(tree.report().missing.empty());
  EXPECT_THAT(tree.report().missing.front(), HasSubstr("--cgroupns=host"));
}

}  // namespace
}  // namespace poolwarden::cgroup
