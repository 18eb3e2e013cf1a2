// What a worker finds itself as: user, groups, capabilities, descriptors, signals, environment.

#include <grp.h>
#include <pwd.h>

#include "integration/process/host_fixture.h"

namespace poolwarden::process {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

struct WorkerIdentity : HostFixture {
  static worker::WorkerSettings plain() {
    worker::WorkerSettings settings;
    settings.ready.when = worker::WhenStarted{};
    return settings;
  }
};

TEST_F(WorkerIdentity, IsTheUserWithItsGroupsAndTheAddedOnes) {
  auto settings = plain();
  settings.identity.user = "nobody";
  settings.identity.groups = {"adm", "4242"};
  const auto told = described(settings);
  const gid_t adm = ::getgrnam("adm")->gr_gid;
  EXPECT_THAT(told, Contains(MatchesRegex("Uid:\t65534\t65534\t65534\t65534")));
  EXPECT_THAT(told, Contains(MatchesRegex("Gid:\t65534\t65534\t65534\t65534")));
  EXPECT_THAT(told, Contains(MatchesRegex("Groups:.*" + std::to_string(adm) + " .*4242.*")));
  EXPECT_THAT(told, Contains("env USER=nobody"));
  EXPECT_THAT(told, Contains("env HOME=" + std::string(::getpwnam("nobody")->pw_dir)));
}

TEST_F(WorkerIdentity, MayBeABareNumber) {
  auto settings = plain();
  settings.identity.user = "54321";
  EXPECT_THAT(described(settings), Contains("Uid:\t54321\t54321\t54321\t54321"));
}

TEST_F(WorkerIdentity, HasNoWayToNewPrivilegesUnlessAsked) {
  EXPECT_THAT(described(plain()), Contains("NoNewPrivs:\t1"));
}

TEST_F(WorkerIdentity, MayKeepTheWayToNewPrivileges) {
  auto settings = plain();
  settings.identity.no_new_privileges = false;
  EXPECT_THAT(described(settings), Contains("NoNewPrivs:\t0"));
}

TEST_F(WorkerIdentity, AnEmptyListOfCapabilitiesTakesThemAllEvenFromRoot) {
  auto settings = plain();
  settings.identity.capabilities.emplace();
  const auto told = described(settings);
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_THAT(told, Contains(std::string(set) + ":\t0000000000000000"));
}

TEST_F(WorkerIdentity, ANamedCapabilityIsKeptByAnotherUser) {
  auto settings = plain();
  settings.identity.user = "nobody";
  settings.identity.capabilities = {"CAP_NET_BIND_SERVICE"};
  const auto told = described(settings);
  EXPECT_THAT(told, Contains("Uid:\t65534\t65534\t65534\t65534"));
  for (const char* set : {"CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_THAT(told, Contains(std::string(set) + ":\t0000000000000400"));
}

TEST_F(WorkerIdentity, UmaskAndDirectoryAreAsConfigured) {
  auto settings = plain();
  settings.identity.umask = 0027;
  settings.directory = "/usr/${WHERE}";
  settings.environment["WHERE"] = "share";
  const auto told = described(settings);
  EXPECT_THAT(told, Contains("umask " + std::to_string(0027)));
  EXPECT_THAT(told, Contains("directory /usr/share"));
}

TEST_F(WorkerIdentity, FindsNoDescriptorsButTheThreeStandardOnes) {
  const auto told = described(plain());
  for (const char* fd : {"fd 0", "fd 1", "fd 2"}) EXPECT_THAT(told, Contains(fd));
  EXPECT_EQ(std::count_if(told.begin(), told.end(),
                          [](const std::string& line) { return line.starts_with("fd "); }),
            3);
}

TEST_F(WorkerIdentity, StartsWithDefaultSignalsInASessionOfItsOwn) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto told = described(plain());
  EXPECT_THAT(told, Contains("sigpipe default"));
  EXPECT_THAT(told, Contains("SigBlk:\t0000000000000000"));
  EXPECT_THAT(told, Contains("SigIgn:\t0000000000000000"));
  EXPECT_THAT(told, Contains("session " + told.front().substr(4)));
}

TEST_F(WorkerIdentity, IsToldItsPlace) {
  ::setenv("POOLWARDEN_CONTROL", "ours", 1);
  ::setenv("FROM_THE_CONTAINER", "kept", 1);
  auto settings = plain();
  settings.threads.worker = 7;
  const auto told = described(settings);
  EXPECT_THAT(told, Contains("env POOLWARDEN_POOL=web"));
  EXPECT_THAT(told, Contains("env POOLWARDEN_WORKER=1"));
  EXPECT_THAT(told, Contains("env POOLWARDEN_GENERATION=1"));
  EXPECT_THAT(told, Contains("env POOLWARDEN_WORKER_THREADS=7"));
  EXPECT_THAT(told, Contains(StartsWith("env NOTIFY_SOCKET=/")));
  EXPECT_THAT(told, Not(Contains(StartsWith("env POOLWARDEN_SOCKET"))));
}

TEST_F(WorkerIdentity, LimitsOfTheProcessAreSet) {
  auto settings = plain();
  settings.limits.open_files = 123;
  settings.limits.affinity = "0";
  const auto told = described(settings);
  EXPECT_THAT(told, Contains(MatchesRegex("Max open files +123 +123 .*")));
  EXPECT_THAT(told, Contains(MatchesRegex("Max core file size +0 +0 .*")));
  EXPECT_THAT(told, Contains("Cpus_allowed_list:\t0"));
}

TEST_F(WorkerIdentity, IsKilledBeforeItsSupervisorWhenMemoryRunsOut) {
  std::ifstream file("/proc/self/oom_score_adj");
  int own = 0;
  file >> own;
  EXPECT_THAT(described(plain()), Contains(std::to_string(std::min(own + 500, 1000))));
}

TEST_F(WorkerIdentity, FindsTheSocketPassedToItAsDescriptorThree) {
  auto settings = plain();
  settings.connect = worker::ConnectMode::Inherit;
  const auto told = described(settings, true);
  EXPECT_THAT(told, Contains("fd 3"));
  EXPECT_THAT(told, Not(Contains("fd 4")));
  EXPECT_THAT(told, Contains("env LISTEN_FDS=1"));
  EXPECT_THAT(told, Contains("env LISTEN_FDNAMES=http"));
  EXPECT_THAT(told, Contains("env LISTEN_PID=" + told.front().substr(4)));
}

}  // namespace
}  // namespace poolwarden::process
