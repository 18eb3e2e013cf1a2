// What the facts of each kind of host are judged to be.

#include "doctor/containment_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace poolwarden::doctor {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kAll = (std::uint64_t{1} << 41) - 1;
constexpr std::uint64_t kOfDocker = 0xa80425fb;  // what a default container has

cgroup::ContainmentReport whole(const std::string& kind) {
  cgroup::ContainmentReport report;
  report.cgroup = kind;
  report.memory_limits = report.cpu_limits = report.pids_limits = true;
  return report;
}

KernelFacts of_a_machine() {
  KernelFacts facts;
  facts.privileges.capabilities = kAll;
  facts.known_capabilities = 41;
  facts.can_be_subreaper = true;
  facts.core_pattern = "core";
  return facts;
}

KernelFacts of_a_default_container() {
  KernelFacts facts = of_a_machine();
  facts.privileges.uid = 10001;
  facts.privileges.capabilities = 0;
  facts.is_first_process = true;
  facts.seccomp_mode = 2;
  facts.kernel_log_error = ENOENT;
  return facts;
}

const Host kDocker = {HostKind::Docker, "/.dockerenv"};

Check found(const Checks& checks, const std::string& subject) {
  for (const Check& check : checks)
    if (check.subject == subject) return check;
  ADD_FAILURE() << "nothing was said of " << subject;
  return {};
}

TEST(Containment, OfAWholeMachineIsWell) {
  for (const Check& check : check_containment(of_a_machine(), whole("v1"), {}))
    EXPECT_EQ(check.outcome, Outcome::Ok) << check.subject << ": " << check.found;
}

TEST(Containment, NamesTheFlagsThatADefaultContainerLacks) {
  cgroup::ContainmentReport none;
  none.missing = {"cannot create cgroups of memory: Read-only file system; in Docker, do this"};
  none.cure = cgroup::cure_of(cgroup::Obstacle::ReadOnly, false, 10001);
  const Checks checks = check_containment(of_a_default_container(), none, kDocker);
  const Check cgroup = found(checks, "cgroup");
  EXPECT_EQ(cgroup.outcome, Outcome::Note);
  EXPECT_EQ(cgroup.found, "none: limits can be set on nothing");
  EXPECT_EQ(cgroup.cause, "cannot create cgroups of memory: Read-only file system");
  EXPECT_EQ(cgroup.cure,
            "start the container with --user 0 --cgroupns=host -v "
            "/sys/fs/cgroup:/sys/fs/cgroup:rw");
  EXPECT_THAT(found(checks, "kernel log").cure, HasSubstr("--device /dev/kmsg --cap-add SYSLOG"));
}

TEST(Containment, TellsWhichControllersAreLacking) {
  cgroup::ContainmentReport some = whole("v2_delegated");
  some.cpu_limits = false;
  some.missing = {"cannot limit cpu: nobody handed it down; under systemd, with Delegate=yes"};
  const Check cgroup =
      found(check_containment(of_a_machine(), some, {HostKind::Systemd, ""}), "cgroup");
  EXPECT_EQ(cgroup.found, "v2_delegated: limits can be set on memory, pids");
  EXPECT_EQ(cgroup.cause, "cannot limit cpu: nobody handed it down");
  EXPECT_EQ(cgroup.cure, "with Delegate=yes");
}

TEST(Containment, NamesTheCapabilitiesOfUseThatRootLacks) {
  KernelFacts facts = of_a_machine();
  facts.privileges.capabilities = kOfDocker;
  const Checks checks = check_containment(facts, whole("v1"), kDocker);
  EXPECT_EQ(found(checks, "capabilities").found,
            "14 of 41; not among them: SYS_PTRACE, SYS_RESOURCE");
  EXPECT_EQ(found(checks, "ptrace").outcome, Outcome::Note);
  EXPECT_THAT(found(checks, "ptrace").cure, HasSubstr("--cap-add SYS_PTRACE"));
}

TEST(Containment, PtraceNeedsNothingAmongProcessesOfOneUser) {
  KernelFacts facts = of_a_default_container();
  EXPECT_EQ(found(check_containment(facts, {}, kDocker), "ptrace").outcome, Outcome::Ok);
  facts.ptrace_scope = 1;
  EXPECT_EQ(found(check_containment(facts, {}, kDocker), "ptrace").outcome, Outcome::Ok);
  facts.ptrace_scope = 2;
  EXPECT_EQ(found(check_containment(facts, {}, kDocker), "ptrace").outcome, Outcome::Note);
}

TEST(Containment, CannotDoWithoutPidfds) {
  KernelFacts facts = of_a_machine();
  facts.pidfd_error = ENOSYS;
  EXPECT_EQ(found(check_containment(facts, whole("v1"), {}), "seccomp").outcome, Outcome::Problem);
}

TEST(Containment, OrphansAreOutOfReachWithoutASubreaper) {
  KernelFacts facts = of_a_machine();
  facts.can_be_subreaper = false;
  EXPECT_EQ(found(check_containment(facts, whole("v1"), {}), "orphans").outcome, Outcome::Note);
  facts.is_first_process = true;
  EXPECT_EQ(found(check_containment(facts, whole("v1"), {}), "orphans").outcome, Outcome::Ok);
}

}  // namespace
}  // namespace poolwarden::doctor
