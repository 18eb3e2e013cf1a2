// What is heard of a look, and the mount that a path lies in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/patient_look.h"

namespace poolwarden::doctor {
namespace {

TEST(Heard, IsWhatWasTold) {
  Heard heard;
  heard.take(R"({"at": {"subject": "program", "what": "/srv/run", "path": "/srv/run"}})");
  heard.take(R"({"checks": [{"result": "ok", "subject": "program", "found": "/srv/run"}]})");
  EXPECT_EQ(heard.at.subject, "program");
  EXPECT_EQ(heard.at.path, "/srv/run");
  ASSERT_EQ(heard.checks.size(), 1U);
  EXPECT_EQ(heard.checks[0].found, "/srv/run");
  EXPECT_FALSE(heard.has_ended);
  heard.take(R"({"end": true})");
  EXPECT_TRUE(heard.has_ended);
}

TEST(Heard, PassesOverWhatIsNoWordOfIt) {
  Heard heard;
  for (const std::string line :
       {"", "{", "3", "[]", R"({"at": 3, "checks": 4})", R"({"checks": [{"result": "fine"}]})"})
    heard.take(line);
  EXPECT_TRUE(heard.checks.empty());
  EXPECT_FALSE(heard.has_ended);
}

constexpr const char* kMounts =
    "1 0 254:0 / / rw - ext4 /dev/vda rw\n"
    "2 1 0:5 / /srv rw,nosuid shared:3 - nfs4 server:/export rw\n"
    "3 2 0:6 / /srv/my\\040app rw - fuse.sshfs me@host:/app rw\n"
    "4 1 0:7 / /data rw - ext4 /dev/vdb rw\n"
    "5 1 0:8 / /data rw - tmpfs none rw\n";

TEST(Mount, IsTheDeepestThatThePathLiesIn) {
  EXPECT_EQ(mount_of(kMounts, "/etc/passwd"), "/ (ext4, of /dev/vda)");
  EXPECT_EQ(mount_of(kMounts, "/srv/run"), "/srv (nfs4, of server:/export)");
  EXPECT_EQ(mount_of(kMounts, "/srv"), "/srv (nfs4, of server:/export)");
  EXPECT_EQ(mount_of(kMounts, "/srvother"), "/ (ext4, of /dev/vda)");
  EXPECT_EQ(mount_of(kMounts, "/srv/my app/run"), "/srv/my app (fuse.sshfs, of me@host:/app)");
}

TEST(Mount, IsTheLaterOneOfTwoInOnePlace) {
  EXPECT_EQ(mount_of(kMounts, "/data/x"), "/data (tmpfs, of none)");
}

TEST(Mount, IsNoneWhereNoneIsTold) {
  EXPECT_EQ(mount_of("", "/srv"), "");
  EXPECT_EQ(mount_of("1 0 254:0 / /\nnonsense - \n", "/srv"), "");
}

}  // namespace
}  // namespace poolwarden::doctor
