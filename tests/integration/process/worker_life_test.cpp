// How workers start and end, with real processes in real cgroups.

#include <signal.h>
#include <sys/wait.h>

#include "integration/process/host_fixture.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::NotStarted;
using diagnosis::Signaled;
using diagnosis::SpawnStage;
using testing::ElementsAre;
using testing::HasSubstr;

struct WorkerLife : HostFixture {
  static bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) == 0; }

  NotStarted refusal(const worker::WorkerSettings& settings) {
    const Told& told = run(settings);
    EXPECT_EQ(told.started, 0);
    EXPECT_EQ(told.exited, 1);
    const auto* end = std::get_if<NotStarted>(&told.evidence.status);
    EXPECT_TRUE(end) << describe(told.evidence.status);
    EXPECT_FALSE(has_children());  // no zombie is left
    return end ? *end : NotStarted{};
  }
};

TEST_F(WorkerLife, TellsStartReadyAndExitInThisOrder) {
  const Told& told = run(command({program("exit_with"), "9", "the end"}));
  EXPECT_EQ(told.evidence.status, ExitStatus(Exited{9}));
  EXPECT_EQ(told.order.front(), "started");
  EXPECT_EQ(told.order.back(), "exited");
  EXPECT_EQ(told.evidence.last_output, "the end\n");
  EXPECT_FALSE(has_children());
}

TEST_F(WorkerLife, TellsExitNineFromKillNine) {
  const Told& told = run(command({program("kill_self"), "9"}));
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{9, false}));
}

TEST_F(WorkerLife, NeverCallsBackFromWithinSpawn) {
  const Told& told = spawn(command({"/no/such/program"}));
  EXPECT_EQ(told.exited, 0);
  run_until([&] { return told.exited == 1; });
}

TEST_F(WorkerLife, NamesAMissingProgram) {
  const NotStarted end = refusal(command({"/no/such/program"}));
  EXPECT_EQ(end.stage, SpawnStage::Exec);
  EXPECT_EQ(end.error, ENOENT);
  EXPECT_EQ(end.what, "/no/such/program (the directory /no does not exist)");
}

TEST_F(WorkerLife, NamesThePathThatWasSearched) {
  auto settings = command({"gunikorn"});
  settings.environment["PATH"] = "/usr/bin:/bin";
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.stage, SpawnStage::Exec);
  EXPECT_EQ(end.error, ENOENT);
  EXPECT_EQ(end.what, "cannot find 'gunikorn' in PATH /usr/bin:/bin");
}

TEST_F(WorkerLife, NamesAMissingDirectory) {
  auto settings = command({"/bin/true"});
  settings.directory = "/no/such/place";
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.stage, SpawnStage::Directory);
  EXPECT_EQ(end.error, ENOENT);
  EXPECT_EQ(end.what, "/no/such/place");
}

TEST_F(WorkerLife, NamesAnUnknownUser) {
  auto settings = command({"/bin/true"});
  settings.identity.user = "no-such-user";
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.stage, SpawnStage::Identity);
  EXPECT_THAT(end.what, HasSubstr("cannot find user 'no-such-user'"));
}

TEST_F(WorkerLife, NamesAFileThatMayNotBeExecuted) {
  auto settings = command({"/etc/passwd"});
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.stage, SpawnStage::Exec);
  EXPECT_EQ(end.error, EACCES);
  EXPECT_EQ(end.what, "/etc/passwd (it may not be executed: chmod +x)");
  EXPECT_EQ(end.obstacle, diagnosis::Obstacle::NotExecutable);
}

TEST_F(WorkerLife, NamesAMissingInterpreter) {
  const std::string script = testing::TempDir() + "/run-" + std::to_string(::getpid()) + ".py";
  std::ofstream(script) << "#!/usr/bin/pyton3\nprint()\n";
  ::chmod(script.c_str(), 0755);
  const NotStarted end = refusal(command({script}));
  EXPECT_EQ(end.error, ENOENT);
  EXPECT_EQ(end.what, script + " (its interpreter /usr/bin/pyton3 does not exist)");
  EXPECT_EQ(end.obstacle, diagnosis::Obstacle::MissingInterpreter);
  std::filesystem::remove(script);
}

TEST_F(WorkerLife, NamesADirectoryThatTheUserMayNotEnter) {
  const std::string closed = testing::TempDir() + "/closed-" + std::to_string(::getpid());
  std::filesystem::create_directory(closed);
  std::filesystem::copy_file("/bin/true", closed + "/program");
  ::chmod(closed.c_str(), 0700);
  auto settings = command({closed + "/program"});
  settings.identity.user = "nobody";
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.error, EACCES);
  EXPECT_THAT(end.what, HasSubstr("the directory " + closed + " may not be entered"));
  EXPECT_EQ(end.obstacle, diagnosis::Obstacle::BlockedDirectory);
  std::filesystem::remove_all(closed);
}

TEST_F(WorkerLife, NamesALimitThatCannotBeSet) {
  auto settings = command({"/bin/true"});
  settings.limits.open_files = 1'000'000'000'000;
  const NotStarted end = refusal(settings);
  EXPECT_EQ(end.stage, SpawnStage::Limits);
  EXPECT_EQ(end.what, "cannot set limits.open_files to 1000000000000");
}

TEST_F(WorkerLife, RunsWithoutThatLimitWhenContainmentIsBestEffort) {
  auto settings = command({"/bin/true"});
  settings.limits.open_files = 1'000'000'000'000;
  settings.containment = worker::Containment::BestEffort;
  EXPECT_EQ(run(settings).evidence.status, ExitStatus(Exited{0}));
}

TEST_F(WorkerLife, EndsAWorkerAtItsStopSignal) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  host.ask_to_stop(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGTERM, false}));
}

TEST_F(WorkerLife, KillsAWorkerThatIgnoresItsStopSignal) {
  const Told& told = spawn(command({program("ignore_term")}));
  run_until([&] { return wrote("ready"); });
  host.ask_to_stop(last_id());
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

TEST_F(WorkerLife, SurvivesKillRightAfterSpawn) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

TEST_F(WorkerLife, LeavesNothingBehind) {
  run(command({"/bin/true"}));
  EXPECT_FALSE(tree.leaf_usage("web", cgroup::leaf_name(1, 1)));
  EXPECT_FALSE(std::filesystem::exists("/tmp/pwt-" + std::to_string(::getpid()) + "/w/1"));
}

TEST_F(WorkerLife, StartsFiftyAtOnce) {
  for (int i = 0; i < 50; ++i) spawn(command({"/bin/true"}));
  run_until([this] { return all_exited(); });
  for (const auto& [id, told] : workers) EXPECT_EQ(told.evidence.status, ExitStatus(Exited{0}));
}

TEST_F(WorkerLife, ReapsAStrangerThatWaitsBehindAKnownZombie) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  ::kill(told.pid, SIGKILL);
  siginfo_t seen{};
  ::waitid(P_PID, static_cast<id_t>(told.pid), &seen, WEXITED | WNOWAIT);
  const pid_t stranger = ::fork();
  if (stranger == 0) ::_exit(0);
  ::waitid(P_PID, static_cast<id_t>(stranger), &seen, WEXITED | WNOWAIT);
  reaper.sweep();
  run_until([&] { return told.exited == 1 && reaper.strangers() == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

}  // namespace
}  // namespace poolwarden::process
