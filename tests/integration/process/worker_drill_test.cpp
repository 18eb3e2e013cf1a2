// Failures done to workers on purpose: each in a process of its own, as a drill does it.

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "cgroup/kernel_files.h"
#include "integration/process/host_fixture.h"
#include "process/inject_exit.h"
#include "process/oom_hog.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::Signaled;
using testing::HasSubstr;

struct WorkerDrill : HostFixture {
  // What a process of its own complains of when it does this; "" when it succeeds.
  template <typename Act>
  std::string complaint(Act act) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t hand = ::fork();
    if (hand == 0) {
      const Result<void> done = act();
      const std::string text = done ? "" : done.error().message;
      ::_exit(::write(ends[1], text.data(), text.size()) < 0);
    }
    ::close(ends[1]);
    known.add(hand);
    run_until([&] { return ::waitpid(hand, nullptr, WNOHANG) == hand; });
    known.remove(hand);
    char text[4096];
    const ssize_t count = ::read(ends[0], text, sizeof text);
    ::close(ends[0]);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }

  std::string make_exit(pid_t pid, int code) {
    return complaint([&] { return inject_exit(pid, code); });
  }

  std::string provoke(const Told& told, const std::string& memory_cgroup) {
    return complaint([&] { return provoke_oom_kill(memory_cgroup, told.pid); });
  }

  const Told& spawn_until(const std::string& line, std::vector<std::string> words) {
    const Told& told = spawn(command(std::move(words)));
    run_until([&] { return wrote(line) && told.ready == 1; });
    return told;
  }

  void expect_exit(const Told& told, int code) {
    run_until([&] { return told.exited == 1; });
    EXPECT_EQ(told.evidence.status, ExitStatus(Exited{code}));
  }
};

TEST_F(WorkerDrill, AWaitingWorkerExits) {
  const Told& told = spawn_until("ready", {program("ignore_term")});  // waits in pause(2)
  EXPECT_EQ(make_exit(told.pid, 42), "");
  expect_exit(told, 42);
}

TEST_F(WorkerDrill, ASleepingWorkerExits) {  // in a system call that would be restarted
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  EXPECT_EQ(make_exit(told.pid, 255), "");
  expect_exit(told, 255);
}

TEST_F(WorkerDrill, ABusyWorkerExits) {
  const Told& told = spawn_until("busy", {"/bin/sh", "-c", "echo busy; while :; do :; done"});
  EXPECT_EQ(make_exit(told.pid, 0), "");
  expect_exit(told, 0);
}

TEST_F(WorkerDrill, AStoppedWorkerExits) {
  const Told& told = spawn_until("ready", {program("ignore_term")});
  ::kill(told.pid, SIGSTOP);
  EXPECT_EQ(make_exit(told.pid, 3), "");
  expect_exit(told, 3);
}

TEST_F(WorkerDrill, AWorkerOfAnotherUserWithoutPrivilegesExits) {
  auto settings = command({"/bin/sleep", "1000"});
  settings.identity.user = "nobody";
  settings.identity.capabilities.emplace();
  const Told& told = spawn(settings);
  run_until([&] { return told.ready == 1; });
  EXPECT_EQ(make_exit(told.pid, 7), "");
  expect_exit(told, 7);
}

TEST_F(WorkerDrill, WhoMayNotTraceIsToldWhatIsMissing) {
  const Told& told = spawn_until("ready", {program("ignore_term")});
  const std::string text = complaint([&]() -> Result<void> {
    if (::setresuid(65534, 65534, 65534) < 0) return failure("cannot become nobody");
    return inject_exit(told.pid, 1);
  });
  EXPECT_THAT(text, HasSubstr("cannot make process " + std::to_string(told.pid) + " exit"));
  EXPECT_THAT(text, HasSubstr("--cap-add SYS_PTRACE"));
  EXPECT_EQ(told.exited, 0);
}

TEST_F(WorkerDrill, ADebuggerIsNotPushedAside) {
  const Told& told = spawn_until("ready", {program("ignore_term")});
  const pid_t tracer = ::fork();
  if (tracer == 0) {
    if (::ptrace(PTRACE_SEIZE, told.pid, 0, 0) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  run_until([&] { return host.is_traced(last_id()); });
  EXPECT_THAT(make_exit(told.pid, 1),
              HasSubstr("it is traced already, by process " + std::to_string(tracer)));
  ::kill(tracer, SIGKILL);
}

TEST_F(WorkerDrill, NobodyExits) {
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  EXPECT_THAT(make_exit(gone, 1), HasSubstr("No such process"));
}

TEST_F(WorkerDrill, AWorkerWithAMemoryLimitIsStruckByTheOomKiller) {
  if (!tree.report().memory_limits) GTEST_SKIP() << "no memory controller can be written";
#ifdef TEST_SANITIZED
  GTEST_SKIP() << "sanitized, this program is larger than the limit before it takes any memory";
#endif
  const Told& sibling = spawn(command({"/bin/sleep", "1000"}));
  auto settings = command({program("eat_memory"), "4"});
  settings.limits.memory = Bytes{64 << 20};
  const Told& told = spawn(settings);
  run_until([&] { return wrote("full") && told.started == 1; });
  EXPECT_EQ(provoke(told, tree.memory_cgroup("web", cgroup::leaf_name(2, 1))), "");
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
  EXPECT_GE(told.evidence.oom_kills, 1u);
  EXPECT_EQ(sibling.exited, 0);
}

TEST_F(WorkerDrill, WithoutAMemoryLimitTheOomKillerIsNotProvoked) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  EXPECT_THAT(provoke(told, tree.memory_cgroup("web", cgroup::leaf_name(1, 1))),
              HasSubstr("limits.memory is needed"));
  EXPECT_THAT(provoke(told, ""), HasSubstr("limits.memory is needed"));
  EXPECT_EQ(told.exited, 0);
}

}  // namespace
}  // namespace poolwarden::process
