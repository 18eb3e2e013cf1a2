// Who looks into the files of dead workers: how many at a time, for how long, as whom.

#include "process/coroner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "cgroup/tree.h"
#include "fakes/hanging_mount.h"
#include "process/post_mortem_text.h"
#include "process/reaper.h"

namespace poolwarden::process {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using diagnosis::Evidence;
using testing::HasSubstr;
using Ask = asio::awaitable<Result<Evidence>> (Coroner::*)(std::vector<std::string>, Rights);

constexpr const char* kAnswer = "printf 'frame\\tmain\\n' >&3";

struct Coroners : testing::Test {
  Coroners() { std::filesystem::create_directory(folder); }
  ~Coroners() override {
    if (disk) disk->detach();
    std::filesystem::remove_all(folder);
  }

  // In place of the program's own hand: a script, which has the folder as $0.
  // Each as if of a supervisor of its own.
  Hand hand(const std::string& script) {
    Hand made_up{{"/bin/sh", "-c", script, folder}, folder + "/" + std::to_string(++made)};
    made_up.file_limit = limit;
    return made_up;
  }

  void ask(Coroner& coroner, Rights rights = {{}, 0}, Ask way = &Coroner::ask) {
    asio::co_spawn(io, asking(coroner, std::move(rights), way), asio::detached);
  }
  asio::awaitable<void> asking(Coroner& coroner, Rights rights, Ask way) {
    std::vector<std::string> words = {"core"};
    answers.push_back(co_await (coroner.*way)(words, rights));
  }

  template <typename Condition>
  bool run_until(Condition condition) {
    const TimePoint end = Clock::now() + 60s;
    while (!condition() && Clock::now() < end) {
      if (io.stopped()) io.restart();
      io.run_one_for(5ms);
    }
    EXPECT_TRUE(condition()) << "waited in vain";
    return condition();
  }

  // What was cancelled holds what it has until it is told so.
  void let_go() {
    io.restart();
    io.poll();
  }

  std::string text_of(const std::string& name) const {
    std::ifstream file(folder + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Of a log in which each writes "+" when it begins, and "-" when it ends.
  int most_at_once() const {
    int now = 0, most = 0;
    for (const char c : text_of("log")) {
      now += c == '+' ? 1 : -1;
      most = std::max(most, now);
    }
    EXPECT_EQ(now, 0);
    return most;
  }
  // The process whose pid a hand has written there.
  bool is_gone(const std::string& name) const {
    const pid_t pid = std::stoi(text_of(name));
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    return std::string(std::istreambuf_iterator<char>(file), {}).empty();
  }
  std::string reasons() const {
    std::string all;
    for (const auto& answer : answers) all += answer ? "" : answer.error().message + "\n";
    return all;
  }

  const std::string folder = "/tmp/pwt-coroner-" + std::to_string(::getpid());
  std::optional<fakes::HangingMount> disk;  // outlives who waits for it
  asio::io_context io;
  std::vector<Result<Evidence>> answers;
  int made = 0;
  Duration limit = 60s;
};

// In a session and an environment of its own, as one that wants to stay.
const std::string kStays =
    "setsid env -i sh -c 'echo $$ > $0/pid; sleep 1000' $0 & "
    "while [ ! -s $0/pid ]; do sleep 0.01; done; ";

const std::string kLogged =
    std::string("printf + >> $0/log; sleep 0.1; printf - >> $0/log; ") + kAnswer;

TEST_F(Coroners, LookAtAFewWorkersAtATime) {
  Coroner coroner(io, {},
                  hand(std::string("printf + >> $0/log; while [ ! -e $0/go ]; do sleep 0.01; done; "
                                   "sleep 0.1; printf - >> $0/log; ") +
                       kAnswer));
  for (int i = 0; i < 12; ++i) ask(coroner);
  run_until([&] { return text_of("log").size() >= 4; });
  std::ofstream(folder + "/go") << "";
  run_until([&] { return answers.size() == 12; });
  EXPECT_EQ(most_at_once(), 4);
  for (const auto& answer : answers) EXPECT_EQ(answer->backtrace.size(), 1u);
}

TEST_F(Coroners, RunOneDebuggerAtATime) {
  Coroner coroner(io, {}, hand(kLogged));
  for (int i = 0; i < 5; ++i) ask(coroner, {{}, 0}, &Coroner::ask_debugger);
  run_until([&] { return answers.size() == 5; });
  EXPECT_EQ(most_at_once(), 1);
  EXPECT_EQ(reasons(), "");
}

TEST_F(Coroners, RefuseWhenTooManyWait) {
  Coroner coroner(io, {},
                  hand(std::string("while [ ! -e $0/go ]; do sleep 0.01; done; ") + kAnswer));
  for (int i = 0; i < 20; ++i) ask(coroner, {{}, 0}, &Coroner::ask_debugger);
  run_until([&] { return answers.size() == 11; });
  for (const auto& answer : answers)
    EXPECT_EQ(answer.error().message, "too many workers ended at the same time");
  std::ofstream(folder + "/go") << "";
  run_until([&] { return answers.size() == 20; });
  EXPECT_TRUE(answers.back()) << "one at work, eight that waited";
}

TEST_F(Coroners, KillOneThatHangsWithAllThatItHasStarted) {
  limit = 5s;
  Coroner coroner(io, {}, hand("sleep 1000 & echo $! > $0/pid; wait"));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_THAT(reasons(), HasSubstr("it took longer than 5s"));
  run_until([&] { return is_gone("pid"); });
}

// Where everything wants to run, what takes milliseconds takes seconds: 5 s were too few.
TEST_F(Coroners, WaitForOneThatABusyMachineHolds) {
  limit = Hand().file_limit;
  Coroner coroner(io, {}, hand(std::string("sleep 6; ") + kAnswer));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(reasons(), "");
}

TEST_F(Coroners, WaitNoLongerForOneThatADiskHoldsThoughItWasKilled) {
  std::filesystem::create_directory(folder + "/disk");
  disk.emplace(folder + "/disk");
  if (!*disk) GTEST_SKIP() << "may not mount a file system here";
  disk->take_requests();
  limit = 5s;
  Coroner coroner(io, {}, hand("echo $$ > $0/pid; exec ls $0/disk"));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_THAT(reasons(), HasSubstr("hangs in the kernel"));
  EXPECT_FALSE(is_gone("pid"));
}

// Somebody else has the pipe: the test.
TEST_F(Coroners, DoNotWaitForOthersThatHoldThePipe) {
  limit = 5s;
  Coroner coroner(io, {}, hand("echo $$ > $0/pid; exec sleep 1000"));
  ask(coroner);
  run_until([&] { return !text_of("pid").empty(); });
  const std::string pipe = "/proc/" + std::to_string(std::stoi(text_of("pid"))) + "/fd/3";
  const loop::UniqueFd held(::open(pipe.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(held);
  run_until([&] { return answers.size() == 1; });
  EXPECT_THAT(reasons(), HasSubstr("it took longer than 5s"));
  EXPECT_TRUE(is_gone("pid"));
}

TEST_F(Coroners, AnswerAlsoWhileOthersHoldThePipe) {
  Coroner coroner(
      io, {},
      hand("echo $$ > $0/pid; while [ ! -e $0/go ]; do sleep 0.01; done; " + std::string(kAnswer)));
  ask(coroner);
  run_until([&] { return !text_of("pid").empty(); });
  const std::string pipe = "/proc/" + std::to_string(std::stoi(text_of("pid"))) + "/fd/3";
  const loop::UniqueFd held(::open(pipe.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(held);
  std::ofstream(folder + "/go") << "";
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(reasons(), "");
}

TEST_F(Coroners, LeaveNobodyBehindWhoHasLeftItsSession) {
  ASSERT_TRUE(become_subreaper());
  Coroner coroner(io, {},
                  hand("setsid sh -c 'echo $$ > $0/pid; sleep 1000' $0 & "
                       "while [ ! -s $0/pid ]; do sleep 0.01; done; " +
                       std::string(kAnswer)));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(reasons(), "");
  EXPECT_TRUE(is_gone("pid"));
}

// By a cgroup alone, for it has given away the rest.
TEST_F(Coroners, HoldThemInACgroupOfTheirOwn) {
  const cgroup::Tree tree =
      cgroup::Tree::open({}, "poolwarden-hands-" + std::to_string(::getpid()));
  if (!tree.report().pids_limits) GTEST_SKIP() << "no cgroup can be written";
  Hand held = hand(kStays + "cat /proc/self/cgroup > $0/cgroup; " + kAnswer);
  held.make_leaf = [&tree](const std::string& name) {
    return tree.make_leaf("post.mortem", name, {.pids = 64}, worker::Containment::BestEffort)
        .value();
  };
  Coroner coroner(io, {}, std::move(held));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(reasons(), "");
  EXPECT_THAT(text_of("cgroup"), HasSubstr("/post.mortem/hand-1"));
  EXPECT_TRUE(is_gone("pid"));
  EXPECT_EQ(tree.leaf_usage("post.mortem", "hand-1"), std::nullopt) << "its cgroup is removed";
  tree.remove();
}

TEST_F(Coroners, SayWhyNobodyLooked) {
  Coroner missing(io, {}, Hand{{"/nonexistent/hand"}});
  Coroner failing(io, {}, hand("exit 3"));
  Coroner killed(io, {}, hand(std::string(kAnswer) + "; kill -9 $$"));
  ask(missing);
  ask(failing);
  ask(killed);
  run_until([&] { return answers.size() == 3; });
  EXPECT_THAT(reasons(), HasSubstr("could not be started"));
  EXPECT_THAT(reasons(), HasSubstr("exited with code 3"));
  EXPECT_THAT(reasons(), HasSubstr("SIGKILL"));
}

TEST_F(Coroners, LookAsTheWorkersUserAndWithoutItsOutput) {
  const std::string streams =
      "for fd in 0 1 2; do printf 'frame\\t%s\\n' \"$(readlink /proc/$$/fd/$fd)\" >&3; done; ";
  Coroner coroner(io, {},
                  hand(streams + "printf 'frame\\t%s %s\\n' \"$(id -u)\" \"$(id -g)\" >&3"));
  const bool is_root = ::geteuid() == 0;  // only root can be somebody else
  Rights rights{{}, 0};
  if (is_root) rights.identity = Credentials{65534, 65533, {}};
  ask(coroner, rights);
  run_until([&] { return answers.size() == 1; });
  ASSERT_TRUE(answers[0]) << reasons();
  const std::string who =
      is_root ? "65534 65533" : std::to_string(::getuid()) + " " + std::to_string(::getgid());
  EXPECT_THAT(answers[0]->backtrace,
              testing::ElementsAre("/dev/null", "/dev/null", "/dev/null", who));
}

TEST_F(Coroners, TakeABoundedReport) {
  // It goes on for as long as somebody reads.
  Coroner coroner(io, {}, hand("trap '' PIPE; yes \"$(printf 'frame\\tmain')\" >&3; exit 0"));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(reasons(), "who looked wrote more than 64KiB\n");
}

TEST_F(Coroners, TellWhenTheKernelStruckOneOfThem) {
  int struck = 0;
  const auto count_kills_of = [&](const std::string& script) {
    Hand counted = hand(script);
    counted.on_oom_kill = [&struck] { ++struck; };
    return counted;
  };
  Coroner killed(io, {}, count_kills_of("kill -9 $$"));
  Coroner tool_killed(io, {},
                      count_kills_of(kAnswer + ("; exit " + std::to_string(kToolWasKilled))));
  Coroner whole(io, {}, count_kills_of(kAnswer));
  limit = 5s;
  Coroner late(io, {}, count_kills_of("exec sleep 1000"));
  ask(killed);
  run_until([&] { return answers.size() == 1; });
  EXPECT_EQ(struck, 1);
  ask(tool_killed);
  run_until([&] { return answers.size() == 2; });
  EXPECT_EQ(struck, 2);
  EXPECT_TRUE(answers[1]) << "what it had to tell is taken all the same";
  ask(whole);
  ask(late);
  run_until([&] { return answers.size() == 4; });
  EXPECT_EQ(struck, 2);
}

// As where fs.epoll.max_user_watches is used up.
void forbid_to_watch_more() {
  constexpr auto place = [](std::size_t at) { return static_cast<std::uint32_t>(at); };
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, place(offsetof(seccomp_data, nr))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, place(offsetof(seccomp_data, args) + 8)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, EPOLL_CTL_ADD, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

long open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

TEST_F(Coroners, SayThatNothingMoreCanBeWatched) {
  const auto watched = [this] {
    Coroner coroner(io, {}, hand(kAnswer));
    ask(coroner);
    run_until([&] { return answers.size() == 1; });
    EXPECT_EQ(reasons(), "");
    answers.clear();
    let_go();
    const long before = open_descriptors();
    forbid_to_watch_more();
    for (int i = 0; i < 6; ++i) ask(coroner);  // more than there are turns
    run_until([&] { return answers.size() == 6; });
    for (const auto& answer : answers) {
      EXPECT_FALSE(answer);
      EXPECT_THAT(answer.error().message, HasSubstr("cannot watch"));
    }
    let_go();
    EXPECT_EQ(open_descriptors(), before);
    std::_Exit(HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(watched(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace poolwarden::process
