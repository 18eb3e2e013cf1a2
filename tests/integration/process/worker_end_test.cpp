// What is found at the end of a worker: what its threads did, what it used, what it left.

#include <sys/stat.h>

#include <csignal>

#include "cgroup/kernel_files.h"
#include "integration/process/host_fixture.h"
#include "process/last_status.h"
#include "process/thread_states.h"

namespace poolwarden::process {
namespace {

using diagnosis::ExitStatus;
using diagnosis::Signaled;
using diagnosis::ThreadState;
using diagnosis::WrittenLine;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Ends : HostFixture {
  using HostFixture::HostFixture;

  worker::WorkerSettings shell(const std::string& script) {
    return command({"/bin/sh", "-c", script});
  }
  bool has_name(const std::string& name) const {
    return threads_include(thread_states({told->pid}), name);
  }
  static bool threads_include(const std::vector<ThreadState>& threads, const std::string& name) {
    return std::any_of(threads.begin(), threads.end(),
                       [&](const ThreadState& thread) { return thread.name == name; });
  }
  void start(const worker::WorkerSettings& settings) {
    told = &spawn(settings);
    run_until([&] { return told->started > 0; });
  }
  const diagnosis::Evidence& end() {
    host.kill(last_id());
    run_until([&] { return told->exited > 0; });
    return told->evidence;
  }

  Told* told = nullptr;
};

struct EndsWithoutCgroups : Ends {
  EndsWithoutCgroups() : Ends(kNoCgroups) {}
};

TEST_F(Ends, NoteWhereAWorkerHangsThatIsExamined) {
  start(command({"/bin/sleep", "1000"}));
  run_until([&] { return has_name("sleep") && thread_states({told->pid}).front().state == 'S'; });
  host.examine(last_id());
  const auto& threads = end().threads;
  ASSERT_THAT(threads, SizeIs(1));
  EXPECT_EQ(threads[0].tid, told->pid);
  EXPECT_EQ(threads[0].state, 'S');
  EXPECT_EQ(threads[0].name, "sleep");
  EXPECT_THAT(threads[0].waits_in, HasSubstr("nanosleep"));
}

TEST_F(Ends, NoteNothingOfAWorkerThatIsNotExamined) {
  start(command({"/bin/sleep", "1000"}));
  EXPECT_THAT(end().threads, IsEmpty());
}

TEST_F(Ends, NoteTheThreadsOfTheWholeTreeFromTheWorkerOn) {
  start(shell("sleep 1000 & sleep 1001 & wait"));
  // The sleepers have a name of their own only after their exec.
  run_until([&] {
    std::vector<pid_t> all;
    for (const ProcessEntry& entry : list_processes())
      if (entry.parent == told->pid) all.push_back(entry.pid);
    const std::vector<ThreadState> threads = thread_states(all);
    return threads.size() == 2 && threads[0].name == "sleep" && threads[1].name == "sleep";
  });
  host.examine(last_id());
  const auto& found = end().threads;
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].tid, told->pid);
  EXPECT_EQ(found[1].name, "sleep");
  EXPECT_EQ(found[2].name, "sleep");
}

TEST(Threads, AreLookedAtUpToABound) {
  std::vector<pid_t> again(200, ::getpid());
  EXPECT_THAT(thread_states(again, 10s), SizeIs(kMostThreads));
  EXPECT_THAT(thread_states({::getpid()}, -1ms), IsEmpty()) << "out of patience";
}

TEST_F(Ends, TellOfTheCpuTimeThatWasUsed) {
  const auto& evidence =
      run(shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3")).evidence;
  EXPECT_GT(evidence.cpu_user, 10ms);
  EXPECT_EQ(evidence.status, ExitStatus(diagnosis::Exited{3}));
  EXPECT_FALSE(evidence.is_over_cpu_rlimit);
}

TEST_F(Ends, TellOfTheHardLimitOfCpuTime) {
  const auto& evidence = run(command({program("die"), "cpu_hard"})).evidence;
  EXPECT_EQ(evidence.status, ExitStatus(Signaled{SIGKILL}));
  EXPECT_TRUE(evidence.is_over_cpu_rlimit);
  // The limit is compared with whole clock ticks, and this was measured: beside others it is less.
  EXPECT_GT(evidence.cpu_user + evidence.cpu_system, 500ms);
}

TEST_F(Ends, TellAStrangersKillFromTheLimitOfCpuTime) {
  start(shell("ulimit -t 1000; exec sleep 1000"));
  run_until([&] { return has_name("sleep"); });
  ::kill(told->pid, SIGKILL);
  run_until([&] { return told->exited > 0; });
  EXPECT_EQ(told->evidence.status, ExitStatus(Signaled{SIGKILL}));
  EXPECT_FALSE(told->evidence.is_over_cpu_rlimit);
}

TEST_F(Ends, KeepTheLastLinesWithTheirStream) {
  const auto& evidence = run(shell("echo out; sleep 0.1; echo err >&2; exit 1")).evidence;
  ASSERT_THAT(evidence.output, SizeIs(2));
  EXPECT_EQ(evidence.output[0].text, "out");
  EXPECT_FALSE(evidence.output[0].is_stderr);
  EXPECT_EQ(evidence.output[1].text, "err");
  EXPECT_TRUE(evidence.output[1].is_stderr);
  EXPECT_EQ(evidence.last_output, "out\nerr\n");
}

TEST_F(Ends, KeepABoundedNumberOfLines) {
  const auto& evidence = run(shell("seq 1 100")).evidence;
  ASSERT_THAT(evidence.output, SizeIs(OutputCapture::kKeptLines));
  EXPECT_EQ(evidence.output.back().text, "100");
}

TEST_F(Ends, NameWhatADaemonLeavesBehind) {
  const auto& evidence = run(command({program("daemonize")})).evidence;
  EXPECT_THAT(evidence.left_behind, ElementsAre(HasSubstr(" daemonize")));
}

TEST_F(EndsWithoutCgroups, NameWhatADaemonLeavesBehind) {
  const auto& evidence = run(command({program("daemonize")})).evidence;
  EXPECT_THAT(evidence.left_behind, ElementsAre(HasSubstr(" daemonize")));
}

TEST_F(Ends, NameNobodyWhenTheWholeTreeIsKilledOnPurpose) {
  start(shell("sleep 1000 & wait"));
  EXPECT_THAT(end().left_behind, IsEmpty());
}

// Workers whose cores take the kernel some time: they are slowed down.
struct SlowDumps : Ends {
  SlowDumps() { std::filesystem::create_directory(folder); }
  ~SlowDumps() override { std::filesystem::remove_all(folder); }

  // Full of memory, and struck by a signal that dumps core.
  void begin_dump(std::vector<std::string> words) {
    worker::WorkerSettings settings = command(std::move(words));
    settings.directory = folder;
    settings.limits.core = worker::kUnlimitedCore;
    start(settings);
    run_until([&] { return wrote("full"); });
    slow_down();
    ::kill(told->pid, SIGSEGV);
    run_until([&] { return is_dumping_core(told->pid) || told->exited > 0; });
    EXPECT_EQ(told->exited, 0) << "nothing of the dump was to be seen";
  }

  // Not from its start: an emulated processor would take a minute to fill the memory.
  void limit_cpu(const std::string& v2, const std::string& v1) const {
    const auto groups = cgroup::find_hierarchies(
        cgroup::read_text("/proc/self/mountinfo").value_or(""),
        cgroup::read_text("/proc/" + std::to_string(told->pid) + "/cgroup").value_or(""));
    for (const auto& [own, mount] : groups) {
      if (!own.has("cpu")) continue;
      const auto limited = own.unified ? cgroup::write_text(own.path + "/cpu.max", v2)
                                       : cgroup::write_text(own.path + "/cpu.cfs_quota_us", v1);
      EXPECT_TRUE(limited) << own.path;
    }
  }
  void slow_down() const { limit_cpu("10000 100000", "10000"); }
  void let_it_run() const { limit_cpu("max", "-1"); }

  const std::string folder = "/tmp/pwt-core-" + std::to_string(::getpid());
};

TEST_F(SlowDumps, AreWaitedForByAKill) {
  begin_dump({program("eat_memory"), "64"});
  host.kill(last_id());
  let_it_run();
  run_until([&] { return told->exited > 0; });
  EXPECT_EQ(told->evidence.status, ExitStatus(Signaled{SIGSEGV, true}));
}

TEST_F(SlowDumps, AreCutOffWhenTheSupervisorIsToEnd) {
  begin_dump({program("eat_memory"), "64"});
  host.kill(last_id());
  host.hurry();
  run_until([&] { return told->exited > 0; });
  EXPECT_EQ(told->evidence.status, ExitStatus(Signaled{SIGSEGV, false}));
}

TEST_F(SlowDumps, KeepOnlyTheWorkerItselfFromBeingKilled) {
  begin_dump({"/bin/sh", "-c", "sleep 1000 & echo $!; exec " + program("eat_memory") + " 256"});
  const std::vector<int> others = descendants();
  ASSERT_THAT(others, SizeIs(1));
  host.kill(last_id());
  run_until([&] { return count_alive(others) == 0; });
  EXPECT_EQ(told->exited, 0) << "the worker was killed, too, or its core was written before";
  host.hurry();
}

TEST_F(Ends, TellWhoseMemoryLimitWasMet) {
  worker::WorkerSettings settings = command({program("eat_memory"), "256"});
  settings.limits.memory = Bytes{64 << 20};
  const auto& evidence = run(settings).evidence;
  EXPECT_EQ(evidence.status, ExitStatus(Signaled{SIGKILL}));
  EXPECT_GE(evidence.memory.oom_kills, 1u);
  EXPECT_EQ(evidence.memory.recent_oom_kills, evidence.memory.oom_kills);
  EXPECT_GE(evidence.memory.own_limit_hits, 1u);
  EXPECT_EQ(evidence.memory.scope, diagnosis::OomScope::OwnLimit);
}

// Its own limit was met by page cache, and then the one above by memory.
TEST_F(Ends, LeaveItOpenWhereBothLimitsWereMetOnV1) {
  const std::string file = "/var/tmp/pwt-cache-" + std::to_string(::getpid());
  auto settings = shell("head -c 50331648 /dev/zero > " + file + "; echo full; read line < " +
                        file + ".go; exec " + program("eat_memory") + " 64");
  settings.limits.memory = Bytes{32 << 20};
  ASSERT_EQ(::mkfifo((file + ".go").c_str(), 0600), 0);
  start(settings);
  const std::string own = tree.memory_cgroup("web", cgroup::leaf_name(1, 1));
  const std::string above = own.substr(0, own.rfind('/'));
  const bool is_v1 = cgroup::read_text(above + "/memory.limit_in_bytes").has_value();
  if (is_v1) {
    run_until([&] { return wrote("full"); });
    EXPECT_TRUE(cgroup::write_text(above + "/memory.limit_in_bytes", std::to_string(16 << 20)));
    std::ofstream(file + ".go") << "\n";
    run_until([&] { return told->exited > 0; });
    EXPECT_GE(told->evidence.memory.own_limit_hits, 1u) << "page cache did not fill it";
    EXPECT_EQ(told->evidence.memory.scope, diagnosis::OomScope::Unknown);
  }
  ::unlink(file.c_str());
  ::unlink((file + ".go").c_str());
  if (!is_v1) GTEST_SKIP() << "no cgroup of v1 counts the memory here";
}

TEST_F(Ends, CountForksThatTheLimitRefused) {
  worker::WorkerSettings settings = command({program("fork_bomb"), "100"});
  settings.limits.pids = 8;
  EXPECT_GE(run(settings).evidence.pids_limit_hits, 1u);
}

}  // namespace
}  // namespace poolwarden::process
