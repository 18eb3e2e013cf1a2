// A program that gets a debugger: its pid, its parent and its exit status stay its own, whatever
// becomes of the debugger.

#include "process/debugger_attach.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace poolwarden::process {
namespace {

using testing::HasSubstr;

struct Ended {
  int status = 0;
  pid_t pid = 0;
  std::string output;  // of it and its debugger, both streams
};

Ended run_child(const std::function<void()>& child) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Ended ended;
  ended.pid = ::fork();
  if (ended.pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    child();
    ::_exit(99);
  }
  ::close(ends[1]);
  char buffer[4096];
  // Until the debugger has closed its end too.
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    ended.output.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  EXPECT_EQ(::waitpid(ended.pid, &ended.status, 0), ended.pid);
  return ended;
}

Ended debug(const std::vector<std::string>& tool, const std::vector<std::string>& command) {
  return run_child([&] {
    const Error error = exec_debugged(tool, command);
    (void)!::write(STDERR_FILENO, error.message.data(), error.message.size());
  });
}

int exit_code(const Ended& ended) {
  return WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -1;
}

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

TEST(DebuggedProgram, StandsStillUntilItsDebuggerHasSeenIt) {
  const Ended ended = debug(shell("echo pid {PID}; "
                                  // It takes its SIGSTOP when it next gets the CPU.
                                  "while grep -q 'State:.R' /proc/{PID}/status; do :; done; "
                                  "grep State: /proc/{PID}/status; "
                                  "tr '\\0' ' ' < /proc/{PID}/cmdline"),
                            shell("echo ran; exit 7"));
  EXPECT_EQ(exit_code(ended), 7);
  EXPECT_THAT(ended.output, HasSubstr("pid " + std::to_string(ended.pid)));
  EXPECT_THAT(ended.output, HasSubstr("T (stopped)"));
  EXPECT_THAT(ended.output, HasSubstr("/bin/sh -c echo ran; exit 7"));
  EXPECT_LT(ended.output.find("T (stopped)"), ended.output.rfind("ran\n"));
}

TEST(DebuggedProgram, RunsOnWithoutADebuggerThatFails) {
  EXPECT_EQ(exit_code(debug({"/bin/false"}, shell("exit 7"))), 7);
  const Ended ended = debug({"/no/such/debugger"}, shell("exit 7"));
  EXPECT_EQ(exit_code(ended), 7);
  EXPECT_THAT(ended.output, HasSubstr("cannot execute /no/such/debugger: No such file"));
}

TEST(DebuggedProgram, KeepsItsSignalAndHasNoStrangeChild) {
  const Ended ended =
      debug({"/bin/true"}, shell("cat /proc/$$/task/$$/children; echo .; kill -SEGV $$"));
  EXPECT_TRUE(WIFSIGNALED(ended.status));
  EXPECT_EQ(WTERMSIG(ended.status), SIGSEGV);
  EXPECT_THAT(ended.output, testing::MatchesRegex("[0-9]* ?\\.\n"));  // cat itself at most
}

TEST(DebuggedProgram, TellsOfAProgramThatIsNotThere) {
  EXPECT_THAT(debug({"/bin/true"}, {"no-such-program"}).output,
              HasSubstr("cannot find 'no-such-program' in PATH"));
  EXPECT_THAT(debug({"/bin/true"}, {"/no/such/program"}).output,
              HasSubstr("cannot execute /no/such/program: No such file"));
}

TEST(DebuggedProgram, LeavesNoDescriptorWithItsDebugger) {
  const Ended ended = run_child([] {
    ::dup2(::open("/dev/null", O_RDONLY), 5);
    exec_debugged({"/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"}, shell("test -e /dev/fd/5"));
  });
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_THAT(ended.output, testing::Not(HasSubstr("5")));
}

// As a container's seccomp filter has it; or as one that forgives nothing.
void forbid_ptrace(std::uint32_t answer = SECCOMP_RET_ERRNO | EPERM) {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof filter / sizeof *filter, filter};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

TEST(TracingRights, AreTriedWithRealProcesses) {
  EXPECT_TRUE(try_tracing().has_value());
  const Ended refused = run_child([] {
    forbid_ptrace();
    const auto tried = try_tracing();
    const std::string text = tried ? "allowed" : tried.error().message;
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  });
  EXPECT_THAT(refused.output, HasSubstr("Operation not permitted"));
  EXPECT_THAT(refused.output, HasSubstr("seccomp"));
  EXPECT_THAT(refused.output, HasSubstr("--cap-add SYS_PTRACE"));
}

TEST(TracingRights, DoNotKeepTheProgramFromRunning) {
  const Ended ended = run_child([] {
    forbid_ptrace();
    exec_debugged({"/bin/true"}, shell("exit 7"));
  });
  EXPECT_EQ(exit_code(ended), 7);
  EXPECT_THAT(ended.output, HasSubstr("the worker runs without /bin/true"));
}

TEST(TracingRights, AreRefusedAlsoByAFilterThatKills) {
  const Ended tried = run_child([] {
    forbid_ptrace(SECCOMP_RET_KILL_PROCESS);
    const auto allowed = try_tracing();
    const std::string text = allowed ? "allowed" : allowed.error().message;
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  });
  EXPECT_THAT(tried.output, HasSubstr("who calls ptrace(2) is killed: the container's seccomp"));
  const Ended ended = run_child([] {
    forbid_ptrace(SECCOMP_RET_KILL_PROCESS);
    exec_debugged({"/bin/true"}, shell("exit 7"));
  });
  EXPECT_EQ(exit_code(ended), 7);
  EXPECT_THAT(ended.output, HasSubstr("the worker runs without /bin/true"));
}

TEST(TracingRights, AreExplainedByWhatRefusedThem) {
  TraceRights rights{.error = EPERM, .has_capability = false, .is_filtered = true, .yama_scope = 0};
  EXPECT_THAT(explain_refusal(rights), HasSubstr("seccomp filter forbids it"));
  EXPECT_THAT(explain_refusal(rights), HasSubstr("capabilities.add: [SYS_PTRACE]"));
  rights.yama_scope = 2;
  EXPECT_THAT(explain_refusal(rights), HasSubstr("kernel.yama.ptrace_scope is 2"));
  EXPECT_THAT(explain_refusal(rights), HasSubstr("identity.capabilities"));
  rights.has_capability = true;
  EXPECT_THAT(explain_refusal(rights), HasSubstr("seccomp filter forbids it"));
  rights.yama_scope = 3;
  EXPECT_THAT(explain_refusal(rights), HasSubstr("nobody may trace"));
  rights = {.error = EACCES, .has_capability = false, .is_filtered = false, .yama_scope = 1};
  EXPECT_THAT(explain_refusal(rights), HasSubstr("apparmor=unconfined"));
}

}  // namespace
}  // namespace poolwarden::process
