// A worker that sleeps: it stands still with its whole tree, gives its memory back, and goes on.
// Each with the cgroups of this machine, with those of v1 alone, and without any.

#include <signal.h>

#include "cgroup/kernel_files.h"
#include "integration/process/each_cgroups.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::Signaled;

struct WorkerSuspension : EachCgroups {
  // Of the whole tree, in clock ticks: utime and stime of proc(5).
  long cpu_time(int pid) const {
    const std::string text =
        cgroup::read_text("/proc/" + std::to_string(pid) + "/stat").value_or("");
    const auto words = cgroup::split_words(text.substr(text.rfind(')') + 1));
    return words.size() > 14 ? std::stol(words[11]) + std::stol(words[12]) : -1;
  }

  static std::uint64_t resident(int pid) {
    const auto words = cgroup::split_words(
        cgroup::read_text("/proc/" + std::to_string(pid) + "/statm").value_or(""));
    return words.size() > 1 ? std::stoull(words[1]) * 4096 : 0;
  }

  std::size_t ticks() const {
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), "tick"));
  }

  // As long as somebody else takes to live.
  void let_others_run() {
    for (int i = 0; i < 10; ++i) run(command({"/bin/true"}));
  }
};

INSTANTIATE_TEST_SUITE_P(, WorkerSuspension, kEachCgroups, name_of);

TEST_P(WorkerSuspension, AForkingTreeStandsStillAndGoesOn) {
  const Told& told =
      spawn(command({"/bin/sh", "-c", "while :; do echo tick; /bin/sleep 0.001; done"}));
  const worker::WorkerId id = last_id();
  run_until([&] { return ticks() > 10 && told.started == 1; });
  ASSERT_TRUE(host.suspend(id));
  let_others_run();  // what was in the pipe is told meanwhile
  const std::size_t before = ticks();
  const long used = cpu_time(told.pid);
  let_others_run();
  EXPECT_EQ(ticks(), before);
  EXPECT_EQ(cpu_time(told.pid), used);
  host.resume(id);
  run_until([&] { return ticks() > before + 10; });
  EXPECT_EQ(told.exited, 0);
}

TEST_P(WorkerSuspension, ItsResidentMemoryFalls) {
  const Told& told = spawn(command({program("map_file"), "64"}));
  run_until([&] { return wrote("full") && told.started == 1; });
  ASSERT_GT(resident(told.pid), 64u << 20);
  ASSERT_TRUE(host.suspend(last_id()));
  run_until([&] { return resident(told.pid) < 16u << 20; });
}

TEST_P(WorkerSuspension, FilesThatItReadLeaveTheMemoryOfItsCgroup) {
  if (!tree.report().memory_limits) GTEST_SKIP() << "no memory controller can be written";
  const std::string file = program("file-" + std::to_string(::getpid()));
  spawn(command({"/bin/sh", "-c",
                 "head -c 50000000 /dev/zero >" + file + "; sync " + file +
                     "; echo written; exec /bin/sleep 1000"}));
  const auto held = [&] {
    const auto usage = tree.leaf_usage("web", cgroup::leaf_name(1, 1));
    return usage ? usage->memory_current.value_or(0) : 0;
  };
  run_until([&] { return wrote("written"); });
  ASSERT_GT(held(), 40u << 20);
  ASSERT_TRUE(host.suspend(last_id()));
  run_until([&] { return held() < 10u << 20; });
  std::filesystem::remove(file);
}

TEST_P(WorkerSuspension, AnySignalWakesIt) {
  const Told& told = spawn(command({program("eat_memory"), "20"}));
  const worker::WorkerId id = last_id();
  run_until([&] { return wrote("full"); });
  ASSERT_TRUE(host.suspend(id));
  let_others_run();
  host.signal(id, SIGUSR1);
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGUSR1, false}));
}

TEST_P(WorkerSuspension, TheSameProcessAnswersWhenItIsAwakeAgain) {
  worker::WorkerSettings settings;
  settings.command = {program("serve")};
  worker::Watch watch;
  watch.ping_path = "/";
  watch.ping_interval = 5ms;
  watch.ping_timeout = 10s;
  const Told& told = spawn(settings, true, watch);
  const worker::WorkerId id = last_id();
  run_until([&] { return !told.pings.empty(); });
  ASSERT_TRUE(host.suspend(id));
  let_others_run();
  const std::size_t before = told.pings.size();
  host.resume(id);
  run_until([&] { return told.pings.size() > before + 2; });
  EXPECT_THAT(told.pings, testing::Each(worker::PingResult::Answered));
}

TEST_P(WorkerSuspension, ItCanBeKilled) {
  const Told& told = spawn(command({program("fork_tree"), "10", "stay"}));
  run_until([&] { return wrote("all started"); });
  ASSERT_TRUE(host.suspend(last_id()));
  host.kill(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
  for (const std::string& line : lines) {
    if (std::isdigit(static_cast<unsigned char>(line.front()))) {
      EXPECT_FALSE(is_alive(std::stoi(line)));
    }
  }
}

TEST_P(WorkerSuspension, ItIsWokenToTakeItsStopSignal) {
  const Told& told = spawn(
      command({"/bin/sh", "-c", "trap 'exit 7' TERM; echo up; while :; do /bin/sleep 0.01; done"}));
  run_until([&] { return wrote("up"); });
  ASSERT_TRUE(host.suspend(last_id()));
  let_others_run();
  host.ask_to_stop(worker::WorkerId{1});
  run_until([&] { return told.exited == 1; });
  EXPECT_EQ(told.evidence.status, ExitStatus(Exited{7}));
}

TEST_P(WorkerSuspension, MayBeAskedForTwiceAndForNobody) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  const worker::WorkerId id = last_id();
  host.resume(id);
  EXPECT_TRUE(host.suspend(id));
  EXPECT_TRUE(host.suspend(id));
  host.resume(id);
  host.resume(id);
  EXPECT_FALSE(host.suspend(worker::WorkerId{4711}));
  host.resume(worker::WorkerId{4711});
  host.signal(id, SIGKILL);
  run_until([&] { return told.exited == 1; });
}

}  // namespace
}  // namespace poolwarden::process
