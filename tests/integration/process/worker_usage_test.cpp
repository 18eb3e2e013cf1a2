// What is seen of a worker from outside: its memory, whether that grows, and whether it is traced.

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "integration/process/each_cgroups.h"
#include "process/memory_alarm.h"

namespace poolwarden::process {
namespace {

struct WorkerUsage : EachCgroups {};

INSTANTIATE_TEST_SUITE_P(, WorkerUsage, kEachCgroups, name_of);

TEST_P(WorkerUsage, IsWhatItsWholeTreeHolds) {
  const std::string eat = program("eat_memory");
  spawn(command({"/bin/sh", "-c", eat + " 20 & " + eat + " 10 & wait"}));
  run_until([&] { return std::count(lines.begin(), lines.end(), "full") == 2; });
  worker::Usage usage;
  run_until([&] {
    usage = host.usage(last_id());
    return usage.memory.value_or(0) > 30u << 20;
  });
  EXPECT_LT(usage.memory, 40u << 20);
  EXPECT_GT(usage.virtual_memory, 20u << 20);  // of the largest, not of all
  EXPECT_LT(usage.virtual_memory, 30u << 20);
}

TEST_P(WorkerUsage, OfFilesThatItReadIsNotItsMemory) {
  const std::string file = program("file-" + std::to_string(::getpid()));
  spawn(command({"/bin/sh", "-c",
                 "head -c 25000000 /dev/zero >" + file + "; sync " + file +
                     "; echo written; exec /bin/sleep 1000"}));
  run_until([&] { return wrote("written"); });
  EXPECT_LT(host.usage(last_id()).memory.value_or(0), 10u << 20);
  if (const auto all = tree.leaf_usage("web", cgroup::leaf_name(1, 1))) {
    EXPECT_GT(all->memory_current.value_or(25u << 20), 20u << 20);
  }
  std::filesystem::remove(file);
}

// One that burns CPU, and one after the other that has ended when it is asked for.
TEST_P(WorkerUsage, OfCpuIsThatOfItsWholeTree) {
  const std::string burn = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
  spawn(command({"/bin/sh", "-c",
                 "/bin/sh -c '" + burn + "'; /bin/sh -c '" + burn +
                     "'; echo burnt; /bin/sleep 1000 & exec /bin/sleep 1000"}));
  run_until([&] { return wrote("burnt"); });
  run_until([&] { return host.usage(last_id()).processes == 2u; });
  const worker::Usage usage = host.usage(last_id());
  ASSERT_TRUE(usage.cpu_time);
  EXPECT_GT(*usage.cpu_time, 10ms);
}

TEST_P(WorkerUsage, GrowsWithTheCpuTimeThatIsUsed) {
  spawn(command({"/bin/sh", "-c", "while :; do :; done & while :; do :; done"}));
  run_until([&] { return host.usage(last_id()).cpu_time.value_or(0s) > 300ms; });
  EXPECT_EQ(host.usage(last_id()).processes, 2u);
}

TEST_P(WorkerUsage, SaysForHowLongALimitHeldItBack) {
  if (!tree.report().cpu_limits) GTEST_SKIP() << "no cpu controller can be written";
  auto settings = command({"/bin/sh", "-c", "while :; do :; done"});
  settings.limits.cpu = Percent{5};
  spawn(settings);
  run_until([&] { return host.usage(last_id()).throttled.value_or(0s) >= 200ms; });
}

TEST_P(WorkerUsage, OfNobodyIsNothing) {
  EXPECT_FALSE(host.usage(worker::WorkerId{4711}).memory);
  EXPECT_FALSE(host.usage(worker::WorkerId{4711}).virtual_memory);
}

TEST_P(WorkerUsage, ATracerIsSeen) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}));
  run_until([&] { return told.ready == 1; });
  EXPECT_FALSE(host.is_traced(last_id()));
  const pid_t tracer = ::fork();
  if (tracer == 0) {
    if (::ptrace(PTRACE_SEIZE, told.pid, 0, 0) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  run_until([&] { return host.is_traced(last_id()); });
  ::kill(tracer, SIGKILL);
  run_until([&] { return !host.is_traced(last_id()); });
  EXPECT_FALSE(host.is_traced(worker::WorkerId{4711}));
}

struct MemoryHigh : HostFixture {
  const std::string gate = testing::TempDir() + "/gate-" + std::to_string(::getpid());

  ~MemoryHigh() override { std::filesystem::remove(gate); }
  void SetUp() override {
    if (!tree.report().memory_limits) GTEST_SKIP() << "no memory controller can be written";
  }

  // Eats 128 MiB as soon as the gate is open.
  Told& spawn_eater(const worker::Watch& watch) {
    auto settings = command({"/bin/sh", "-c",
                             "while [ ! -e " + gate + " ]; do /bin/sleep 0.01; done; exec " +
                                 program("eat_memory") + " 128"});
    // v2 tells of its own marks only.
    if (tree.report().cgroup == "v2_delegated") settings.limits.memory_high = Bytes{64 << 20};
    return spawn(settings, false, watch);
  }
};

TEST_F(MemoryHigh, IsToldByTheKernelWhenTheMarkIsPassed) {
  worker::Watch watch;
  watch.memory = 64u << 20;
  const Told& told = spawn_eater(watch);
  const Told& unwatched = spawn_eater({});
  run_until([&] { return told.ready == 1; });
  for (int i = 0; i < 10; ++i) run(command({"/bin/true"}));
  EXPECT_EQ(told.memory_high, 0);
  std::ofstream(gate) << "open";
  run_until([&] { return told.memory_high > 0; });
  EXPECT_EQ(unwatched.memory_high, 0);
}

TEST_F(MemoryHigh, IsToldAtOnceOfAWorkerThatIsReadyTooLate) {
  worker::Watch watch;
  watch.memory = 64u << 20;
  auto settings =
      command({"/bin/sh", "-c",
               program("eat_memory") + " 128 >" + gate + " & while [ ! -s " + gate +
                   " ]; do /bin/sleep 0.01; done; exec " + program("notify") + " READY=1"});
  settings.ready.when = worker::WhenNotify{};
  const Told& told = spawn(settings, false, watch);
  run_until([&] { return told.memory_high > 0; });
  EXPECT_EQ(told.ready, 1);
}

struct Alarms : HostFixture {};

TEST_F(Alarms, AreToldAtMostTenTimesASecond) {
  loop::UniqueFd notice(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  const int writer = notice.get();
  int told = 0;
  const TimePoint begun = Clock::now();
  const auto alarm = MemoryAlarm::start(*io, std::move(notice), [&] { ++told; });
  ASSERT_TRUE(alarm);
  run_until([&] {
    ::eventfd_write(writer, 1);
    return told == 4;
  });
  EXPECT_GE(Clock::now() - begun, 300ms);
  alarm->stop();
}

// Asio hands on what epoll has told of a descriptor that is closed before its turn comes: to
// whoever has been watched since then.
TEST_F(Alarms, AreNotToldOfWhatAnotherDescriptorHas) {
  loop::UniqueFd first(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  loop::UniqueFd second(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  loop::UniqueFd notice(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  const int writer = notice.get();
  int told = 0;
  bool woken = false;
  std::shared_ptr<MemoryAlarm> alarm;
  boost::asio::posix::stream_descriptor waker(*io, first.release()), closed(*io, second.release());
  closed.async_wait(closed.wait_read, [](boost::system::error_code) {});
  waker.async_wait(waker.wait_read, [&](boost::system::error_code) {
    closed.close();
    alarm = MemoryAlarm::start(*io, std::move(notice), [&] { ++told; });
    woken = true;
  });
  run_until([&] { return woken; });
  ASSERT_TRUE(alarm);
  run(command({"/bin/true"}));
  EXPECT_EQ(told, 0);
  ::eventfd_write(writer, 1);
  run_until([&] { return told == 1; });
  alarm->stop();
}

TEST_F(Alarms, AreNotToldAfterTheirEnd) {
  loop::UniqueFd notice(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  bool told = false;
  const auto alarm = MemoryAlarm::start(*io, std::move(notice), [&] { told = true; });
  ASSERT_TRUE(alarm);
  alarm->stop();
  run(command({"/bin/true"}));
  EXPECT_FALSE(told);
  EXPECT_EQ(alarm.use_count(), 1);  // its coroutine has ended
}

}  // namespace
}  // namespace poolwarden::process
