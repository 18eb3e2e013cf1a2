// Which flag grants what, for each thing that can be in the way.

#include "cgroup/cures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::cgroup {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Obstacle of_errno(int error) { return obstacle_of({error, std::system_category()}); }

TEST(Cures, KnowWhatIsInTheWay) {
  EXPECT_EQ(of_errno(EROFS), Obstacle::ReadOnly);
  EXPECT_EQ(of_errno(EACCES), Obstacle::NotPermitted);
  EXPECT_EQ(of_errno(EPERM), Obstacle::NotPermitted);
  EXPECT_EQ(of_errno(ENOENT), Obstacle::Other);
}

TEST(Cures, ShowTheContainerItsOwnCgroup) {
  for (const bool unified : {true, false}) {
    const Cure cure = cure_of(Obstacle::ReadOnly, unified, 0);
    EXPECT_EQ(cure.docker, "--cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw");
    EXPECT_EQ(cure.kubernetes, "privileged: true");
    EXPECT_EQ(cure.systemd, "Delegate=yes");
    EXPECT_THAT(cure.machine, IsEmpty());
  }
}

TEST(Cures, MakeAnotherUserRootWhereOnlyRootMay) {
  const Cure v1 = cure_of(Obstacle::NotPermitted, false, 1000);
  EXPECT_THAT(v1.docker, StartsWith("--user 0 --cgroupns=host"));
  EXPECT_EQ(v1.kubernetes, "runAsUser: 0 and privileged: true");
  EXPECT_EQ(v1.systemd, "Delegate=yes and User=root");
  EXPECT_EQ(v1.machine, "start poolwarden as root");
  EXPECT_EQ(cure_of(Obstacle::NotPermitted, true, 1000).systemd, "Delegate=yes");
}

TEST(Cures, OfAControllerThatNobodyHandedDownNameWhoShould) {
  const Cure v2 = cure_of(Obstacle::NoController, true, 0);
  EXPECT_THAT(v2.docker, IsEmpty());
  EXPECT_EQ(v2.systemd, "Delegate=yes");
  EXPECT_THAT(v2.machine, HasSubstr("cgroup.subtree_control"));
  EXPECT_THAT(cure_of(Obstacle::NoController, false, 0).machine, HasSubstr("cgroup_enable=memory"));
}

TEST(Cures, AreOneSentence) {
  EXPECT_EQ(describe(cure_of(Obstacle::ReadOnly, true, 0)),
            "; in Docker, start the container with --cgroupns=host -v "
            "/sys/fs/cgroup:/sys/fs/cgroup:rw or with --privileged; in Kubernetes, with "
            "privileged: true; under systemd, with Delegate=yes");
  EXPECT_THAT(describe(cure_of(Obstacle::NoController, true, 0)), Not(HasSubstr("Docker")));
  EXPECT_THAT(describe({}), IsEmpty());
}

}  // namespace
}  // namespace poolwarden::cgroup
