// Processes that are not workers: bare children, hooks, services; and what holds of all of them.

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <boost/asio/co_spawn.hpp>

#include "integration/process/host_fixture.h"
#include "loop/rethrow.h"
#include "process/hook.h"
#include "process/service_process.h"

namespace poolwarden::process {
namespace {

using diagnosis::Exited;
using diagnosis::ExitStatus;
using diagnosis::NotStarted;
using diagnosis::Signaled;
using testing::ElementsAre;

struct Children : HostFixture {
  static LaunchPlan plan(std::vector<std::string> words) {
    LaunchPlan made;
    made.program = words.front();
    made.arguments = std::move(words);
    return made;
  }

  std::optional<ExitStatus> run_plan(const LaunchPlan& launch) {
    std::optional<ExitStatus> status;
    auto service = start_service(*io, known, launch, [&](const ExitStatus& end) { status = end; });
    if (!service) return std::nullopt;
    run_until([&] { return status.has_value(); });
    return status;
  }

  std::optional<Result<ExitStatus>> run_to_end(HookCommand command) {
    std::optional<Result<ExitStatus>> outcome;
    run_hook(*io, known, std::move(command),
             [&](Result<ExitStatus> end) { outcome = std::move(end); });
    EXPECT_FALSE(outcome);
    run_until([&] { return outcome.has_value(); });
    return outcome;
  }
};

TEST_F(Children, StartAlsoWhereClone3IsDenied) {
  auto launch = plan({program("exit_with"), "7"});
  launch.without_clone3 = true;
  EXPECT_EQ(run_plan(launch), ExitStatus(Exited{7}));
}

TEST_F(Children, EnterTheirCgroupAlsoWhereClone3IsDenied) {
  const auto leaf = tree.make_leaf("web", "denied", {}, worker::Containment::Required);
  ASSERT_TRUE(leaf);
  const auto entry = leaf->open_entry();
  ASSERT_TRUE(entry);
  auto launch = plan({"/bin/sleep", "1000"});
  launch.without_clone3 = true;
  for (const auto& file : entry->files) launch.cgroup_files.push_back(file.get());
  launch.unified_directory = entry->unified_directory.get();
  launch.unified_file = entry->unified_file.get();
  std::optional<ExitStatus> status;
  auto service = start_service(*io, known, launch, [&](const ExitStatus& end) { status = end; });
  ASSERT_TRUE(service);
  run_until([&] { return leaf->populated(); });
  EXPECT_TRUE(leaf->kill());
  run_until([&] { return status.has_value() && !leaf->populated(); });
  EXPECT_EQ(status, ExitStatus(Signaled{SIGKILL, false}));
  EXPECT_TRUE(leaf->remove());
}

TEST_F(Children, FindDescriptorsAtTheirNumbersAlsoWhenTheyTradePlaces) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto launch = plan({"/bin/sh", "-c", "echo swapped >/proc/self/fd/" + std::to_string(first)});
  launch.descriptors = {{ends[1], first}, {first, ends[1]}};
  EXPECT_EQ(run_plan(launch), ExitStatus(Exited{0}));
  char text[64] = {};
  EXPECT_EQ(::read(ends[0], text, sizeof text), 8);
  EXPECT_STREQ(text, "swapped\n");
  for (const int fd : {ends[0], ends[1], first}) ::close(fd);
}

TEST_F(Children, DieWithTheirSupervisor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    boost::asio::io_context own;
    KnownPids pids;
    auto launch = plan({"/bin/sleep", "1000"});
    launch.identity = Credentials{65534, 65534, {}};
    auto child = ChildProcess::start(own, pids, launch);
    const auto failed = (*child)->pid();
    boost::asio::co_spawn(
        own,
        [&]() -> boost::asio::awaitable<void> {
          (void)co_await (*child)->started();
          if (::write(ends[1], &failed, sizeof failed) < 0) ::_exit(1);
        },
        loop::rethrow);
    own.run();
    for (;;) ::pause();
  }
  pid_t child = 0;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  ASSERT_TRUE(is_alive(child));
  ::kill(supervisor, SIGKILL);
  run_until([&] { return !is_alive(child); });
  for (const int fd : ends) ::close(fd);
}

// The kernel gives the status to a tracer first (ptrace(2)), and a debugger may not ask for long.
TEST_F(Children, OneThatATracerHoldsBackHoldsUpNobodyElse) {
  const Told& traced = spawn(command({"/bin/sleep", "1000"}));
  const worker::WorkerId id = last_id();
  run_until([&] { return traced.ready == 1; });
  const pid_t tracer = ::fork();
  if (tracer == 0) {
    ::alarm(20);
    if (::ptrace(PTRACE_SEIZE, traced.pid, 0, 0) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  run_until([&] { return host.is_traced(id); });
  host.kill(id);
  run_until([&] { return !is_alive(traced.pid); });
  run(command({"/bin/true"}));
  EXPECT_EQ(traced.exited, 0);
  ::kill(tracer, SIGKILL);
  run_until([&] { return traced.exited == 1; });
  EXPECT_EQ(traced.evidence.status, ExitStatus(Signaled{SIGKILL, false}));
}

TEST_F(Children, AServiceThatCannotBeExecutedSaysSo) {
  const auto status = run_plan(plan({"/no/such/program"}));
  ASSERT_TRUE(status);
  EXPECT_TRUE(std::holds_alternative<NotStarted>(*status));
}

TEST_F(Children, AServiceIsKilledWithItsOwner) {
  pid_t pid = 0;
  {
    auto service = start_service(*io, known, plan({"/bin/sleep", "1000"}),
                                 [](const ExitStatus&) { FAIL() << "told after its owner left"; });
    ASSERT_TRUE(service);
    pid = (*service)->pid();
  }
  run_until([&] { return !is_alive(pid); });
}

TEST_F(Children, AServiceIsKilledWithWhatItHasForked) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  auto launch = plan({"/bin/sh", "-c", "/bin/sleep 1000 & echo $!; wait"});
  launch.descriptors = {{ends[1], 1}};
  bool has_ended = false;
  auto service = start_service(*io, known, launch, [&](const ExitStatus&) { has_ended = true; });
  ASSERT_TRUE(service);
  ::close(ends[1]);
  std::string text;
  char letter = 0;
  while (::read(ends[0], &letter, 1) == 1 && letter != '\n') text += letter;
  const pid_t forked = std::stoi(text);
  ASSERT_TRUE(is_alive(forked));
  (*service)->kill();
  run_until([&] { return has_ended && !is_alive(forked); });
  ::close(ends[0]);
}

TEST_F(Children, AServiceHasNoPrivileges) {
  auto launch = plan_service({"gateway"}, "nobody", {});
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->program, "/proc/self/exe");
  launch->program = program("describe_self");
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  launch->descriptors = {{ends[1], 1}};
  auto service = start_service(*io, known, *launch, [](const ExitStatus&) {});
  ASSERT_TRUE(service);
  std::string text;
  while (text.find("\nend\n") == std::string::npos) {
    char buffer[4096];
    const ssize_t count = ::read(ends[0], buffer, sizeof buffer);
    ASSERT_GT(count, 0);
    text.append(buffer, static_cast<std::size_t>(count));
  }
  EXPECT_THAT(text, testing::HasSubstr("Uid:\t65534"));
  EXPECT_THAT(text, testing::HasSubstr("CapBnd:\t0000000000000000"));
  EXPECT_THAT(text, testing::HasSubstr("NoNewPrivs:\t1"));
  for (const int fd : ends) ::close(fd);
}

TEST_F(Children, AHookRunsWithItsEnvironmentAndItsOutputIsTold) {
  std::vector<std::string> told;
  HookCommand hook{{"/bin/sh", "-c", "echo pool $POOL; exit 3"}, {{"POOL", "web"}}};
  hook.on_output = [&](bool, const std::string& line) { told.push_back(line); };
  const auto outcome = run_to_end(hook);
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_EQ(**outcome, ExitStatus(Exited{3}));
  EXPECT_THAT(told, ElementsAre("pool web"));
}

TEST_F(Children, FindWhatAnActionIsAboutInItsArguments) {
  std::vector<std::string> told;
  HookCommand hook{{"/bin/echo", "${PID}", "of ${POOL}", "$$5"}, {{"POOL", "web"}, {"PID", "7"}}};
  hook.on_output = [&](bool, const std::string& line) { told.push_back(line); };
  const auto outcome = run_to_end(hook);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(told, std::vector<std::string>{"7 of web $5"});
}

TEST_F(Children, AHookThatTakesTooLongIsKilledWithItsChildren) {
  HookCommand hook{{"/bin/sh", "-c", "sleep 1000 & echo $!; wait"}, {}, 2s};
  int child = 0;
  hook.on_output = [&](bool, const std::string& line) { child = std::stoi(line); };
  // On a busy machine it is killed before it has come to its child.
  for (; child == 0 && hook.timeout < 1min; hook.timeout *= 2) {
    const auto outcome = run_to_end(hook);
    ASSERT_TRUE(outcome && *outcome);
    EXPECT_EQ(**outcome, ExitStatus(Signaled{SIGKILL, false}));
  }
  ASSERT_GT(child, 0);
  run_until([&] { return !is_alive(child); });
}

TEST_F(Children, AHookThatDoesNotExistSaysSo) {
  const auto outcome = run_to_end({{"/no/such/hook"}, {}});
  ASSERT_TRUE(outcome && *outcome);
  EXPECT_TRUE(std::holds_alternative<NotStarted>(**outcome));
}

}  // namespace
}  // namespace poolwarden::process
