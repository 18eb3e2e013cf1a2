// A real core file, who left it, and what gdb and eu-stack, or what stands in their place, say of
// it.

#include "process/backtrace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "process/core_file.h"
#include "process/core_pattern.h"

namespace poolwarden::process {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kNothing = "/nonexistent/tool";

struct Backtraces : testing::Test {
  Backtraces() { std::filesystem::create_directory(folder); }
  ~Backtraces() override { std::filesystem::remove_all(folder); }

  // Of a program in tests/workers that crashes in the folder. Empty where this machine's cores are
  // no files in it.
  std::string crash() {
    return crash([this] { ::execl(program.c_str(), "die", "segfault", nullptr); });
  }

  // Of a process that does this.
  std::string crash(const std::function<void()>& die) {
    pid = ::fork();
    if (pid == 0) {
      const rlimit any{RLIM_INFINITY, RLIM_INFINITY};
      ::setrlimit(RLIMIT_CORE, &any);
      if (::chdir(folder.c_str()) == 0) die();
      ::_exit(127);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WCOREDUMP(status) ? core_in_folder() : "";
  }

  std::string core_in_folder() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().filename().string().starts_with("core")) return entry.path();
    return "";
  }

  std::string tool(const std::string& script) const {
    const std::string path = folder + "/tool";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    return path;
  }

  const std::string folder = "/tmp/pwt-backtrace-" + std::to_string(::getpid());
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "workers" / "die";
  pid_t pid = 0;
};

TEST_F(Backtraces, AreShownByGdb) {
  if (::access("/usr/bin/gdb", X_OK) != 0) GTEST_SKIP() << "gdb is not installed";
  const std::string core = crash();
  if (core.empty()) GTEST_SKIP() << "no core file here";
  const Backtrace found = backtrace_of_core(core, program, {"/usr/bin/gdb", kNothing});
  EXPECT_THAT(found.frames, Contains(HasSubstr("touch_nothing")));
  EXPECT_THAT(found.frames, Contains(HasSubstr("main")));
  EXPECT_EQ(found.why_none, "");
}

TEST_F(Backtraces, AreShownByEuStack) {
  if (::access("/usr/bin/eu-stack", X_OK) != 0) GTEST_SKIP() << "eu-stack is not installed";
  const std::string core = crash();
  if (core.empty()) GTEST_SKIP() << "no core file here";
  const Backtrace found = backtrace_of_core(core, program, {kNothing, "/usr/bin/eu-stack"});
  EXPECT_THAT(found.frames, Contains(HasSubstr("touch_nothing")));
  EXPECT_THAT(found.frames, Contains(HasSubstr("main")));
}

TEST_F(Backtraces, SayWhyThereAreNone) {
  EXPECT_EQ(backtrace_of_core("/x/core", program, {kNothing, kNothing}).why_none,
            "neither gdb nor eu-stack is installed");
  EXPECT_EQ(backtrace_of_core("/x/core", program, {"/bin/false", kNothing}).why_none,
            "gdb shows no frames: it exited with code 1");
  EXPECT_EQ(backtrace_of_core("", program).why_none, "the core file is gone");
}

TEST_F(Backtraces, AreOfTheOtherToolWhenTheFirstHasNone) {
  const Backtrace found =
      backtrace_of_core("/x/core", program, {"/bin/false", tool("echo '#0  0x1 crash'")});
  EXPECT_THAT(found.frames, testing::ElementsAre("#0  0x1 crash"));
  EXPECT_EQ(found.why_none, "");
}

TEST_F(Backtraces, AreBounded) {
  const std::string endless = tool("yes '#1  0x1 again'");
  EXPECT_EQ(backtrace_of_core("/x/core", program, {endless, kNothing}).frames.size(), 32u);
}

TEST_F(Backtraces, EndWithWhoAskedForThem) {
  const std::string hanging = tool("echo $$ > " + folder + "/pid; exec sleep 1000");
  const pid_t asking = ::fork();
  if (asking == 0) {
    backtrace_of_core("/x/core", program, {hanging, kNothing});
    ::_exit(0);
  }
  int tool_pid = 0;
  while (tool_pid == 0) {
    std::this_thread::sleep_for(5ms);
    std::ifstream(folder + "/pid") >> tool_pid;
  }
  ::kill(asking, SIGKILL);
  ::waitpid(asking, nullptr, 0);
  const auto is_gone = [tool_pid] {
    std::ifstream file("/proc/" + std::to_string(tool_pid) + "/cmdline");
    return std::string(std::istreambuf_iterator<char>(file), {}).empty();
  };
  for (int tries = 0; !is_gone() && tries < 2000; ++tries) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(is_gone());
}

TEST_F(Backtraces, AreOfTheProcessThatTheCoreNames) {
  const std::string core = crash();
  if (core.empty()) GTEST_SKIP() << "no core file here";
  const auto notes = read_core(file_reader(core));
  ASSERT_TRUE(notes);
  EXPECT_EQ(notes->pid, pid);
  EXPECT_EQ(notes->signal, SIGSEGV);
  EXPECT_EQ(notes->whole_size, std::filesystem::file_size(core));
  EXPECT_EQ(notes->program, program);
}

// What a core file says of who sent the signal.
struct Senders : Backtraces {
  std::optional<CoreNotes> notes_of(const std::function<void()>& die) {
    return notes_in(crash(die));
  }
  static std::optional<CoreNotes> notes_in(const std::string& core) {
    if (core.empty()) return std::nullopt;
    const auto notes = read_core(file_reader(core));
    std::filesystem::remove(core);
    return notes ? std::optional(*notes) : std::nullopt;
  }
};

TEST_F(Senders, AreTheProcessItselfWhereItCallsKillOrRaise) {
  const auto killed = notes_of([] { ::kill(::getpid(), SIGSEGV); });
  if (!killed) GTEST_SKIP() << "no core file here";
  EXPECT_EQ(killed->fault.si_code, SI_USER);
  EXPECT_EQ(killed->fault.sender_pid, pid);
  const auto raised = notes_of([] { ::raise(SIGXCPU); });
  EXPECT_EQ(raised->fault.si_code, SI_TKILL);
  EXPECT_EQ(raised->fault.sender_pid, pid);
}

TEST_F(Senders, AreNobodyElseWhereATimerOfItsOwnRunsOut) {
  const auto notes = notes_of([] {
    sigevent by{};
    by.sigev_notify = SIGEV_SIGNAL;
    by.sigev_signo = SIGXCPU;
    timer_t timer{};
    ::timer_create(CLOCK_MONOTONIC, &by, &timer);
    const itimerspec soon{{}, {0, 1}};
    ::timer_settime(timer, 0, &soon, nullptr);
    for (;;) ::pause();
  });
  if (!notes) GTEST_SKIP() << "no core file here";
  EXPECT_EQ(notes->fault.si_code, SI_TIMER);
  EXPECT_EQ(notes->fault.sender_pid, std::nullopt);
}

TEST_F(Senders, AreTheKernelWhereTheLimitOfCpuTimeIsMet) {
  const auto notes = notes_of([] {
    const rlimit limit{1, 60};
    ::setrlimit(RLIMIT_CPU, &limit);
    for (volatile bool runs = true; runs;) {
    }
  });
  if (!notes) GTEST_SKIP() << "no core file here";
  EXPECT_EQ(notes->signal, SIGXCPU);
  EXPECT_EQ(notes->fault.si_code, SI_KERNEL);
  EXPECT_EQ(notes->fault.sender_pid, std::nullopt);
}

// Of two there, for the first one of a namespace takes no such signal.
void have_one_in_a_pid_namespace_killed() {
  int ready[2];
  ::signal(SIGSEGV, SIG_IGN);
  if (::pipe(ready) < 0 || ::setpgid(0, 0) < 0 || ::unshare(CLONE_NEWPID) < 0) return;
  if (::fork() == 0) {
    if (::fork() == 0) {
      ::signal(SIGSEGV, SIG_DFL);
      if (::write(ready[1], "", 1) == 1) ::pause();
      return;
    }
    ::wait(nullptr);
    return;
  }
  ::close(ready[1]);
  char byte = 0;
  if (::read(ready[0], &byte, 1) == 1) ::kill(0, SIGSEGV);
  ::wait(nullptr);
}

TEST_F(Senders, HaveNoPidWhereTheyAreOutsideOfItsPidNamespace) {
  crash(have_one_in_a_pid_namespace_killed);
  const auto notes = notes_in(core_in_folder());
  if (!notes) GTEST_SKIP() << "no core file, or no pid namespace here";
  EXPECT_EQ(notes->fault.si_code, SI_USER);
  EXPECT_EQ(notes->fault.sender_pid, 0);
}

// Who left a file in the folder that might be a core.
struct CoreFiles : Backtraces {
  CoreOwner owner() const {
    CoreOwner made;
    made.pid = 42;
    made.signal = SIGSEGV;
    made.directory = folder;
    return made;
  }
  void leave(const std::string& name) const { std::ofstream(folder + "/" + name) << "core"; }
  static bool yes(const std::string&) { return true; }
  static bool no(const std::string&) { return false; }
};

TEST_F(CoreFiles, AreFoundByTheirName) {
  leave("core.41");
  leave("core.42");
  const auto found = find_core_file({"core.%p", false}, owner(), yes);
  EXPECT_EQ(found.path, folder + "/core.42");
  EXPECT_EQ(found.bytes, 4u);
  EXPECT_EQ(found.why_none, "");
}

TEST_F(CoreFiles, OfAnotherProcessAreNotTaken) {
  leave("core");
  const auto found = find_core_file({"core", false}, owner(), no);
  EXPECT_EQ(found.path, "");
  EXPECT_EQ(found.why_none,
            folder + "/core is that of another process by now: core_pattern has no %p");
}

TEST_F(CoreFiles, OfBeforeItsStartAreNotTaken) {
  leave("core");
  CoreOwner later = owner();
  later.since = WallClock::now() + 1h;
  EXPECT_THAT(find_core_file({"core", false}, later, yes).why_none,
              HasSubstr("no file like the one that core_pattern names"));
}

TEST_F(CoreFiles, ThatWereNotFinishedAreNotTaken) {
  leave("core");
  CoreOwner cut = owner();
  cut.has_dumped = false;
  EXPECT_THAT(find_core_file({"core", false}, cut, yes).why_none, HasSubstr("PR_SET_DUMPABLE"));
  cut.limit = 1024;
  EXPECT_EQ(find_core_file({"core", false}, cut, yes).why_none,
            "the kernel wrote none: limits.core is 1KiB");
  cut.limit = 1 << 20;
  EXPECT_THAT(find_core_file({"core", false}, cut, yes).why_none, HasSubstr("PR_SET_DUMPABLE"))
      << "a longer one is cut off";
}

TEST_F(CoreFiles, HaveAPlaceThatExists) {
  CoreOwner elsewhere = owner();
  elsewhere.directory = folder + "/missing";
  EXPECT_EQ(find_core_file({"core", false}, elsewhere, yes).why_none,
            "the directory " + folder + "/missing of core_pattern does not exist");
  EXPECT_THAT(find_core_file({"|/usr/bin/collect %p", false}, owner(), yes).why_none,
              HasSubstr("pipes it to /usr/bin/collect"));
  EXPECT_EQ(find_core_file({"", false}, owner(), yes).why_none, "core_pattern is empty");
}

// Somebody who may not do what root may, for as long as this is there.
class AsNobody {
 public:
  AsNobody() { EXPECT_EQ(::setresuid(65534, 65534, 0), 0); }
  ~AsNobody() { EXPECT_EQ(::setresuid(0, 0, 0), 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
};

// The worker may have been able to write where who looks may not look.
TEST_F(CoreFiles, AreNotSaidToBeMissingWhereNobodyCanLook) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  CoreOwner there = owner();
  there.directory = folder + "/closed/inner";
  std::filesystem::create_directories(there.directory);
  CoreOwner above = owner();
  above.directory = folder + "/closed";
  std::filesystem::permissions(above.directory, std::filesystem::perms::owner_all);
  CoreOwner over = above;
  over.may_write_anywhere = true;
  const std::string who = "who looks for it may not look into ";
  const AsNobody nobody;
  EXPECT_EQ(find_core_file({"core", false}, there, yes).why_none,
            who + there.directory + ": it may be there");
  EXPECT_EQ(find_core_file({"core", false}, over, yes).why_none,
            who + over.directory + ": it may be there");
  EXPECT_EQ(find_core_file({"core", false}, above, yes).why_none,
            "the worker may not write to " + above.directory);
}

}  // namespace
}  // namespace poolwarden::process
