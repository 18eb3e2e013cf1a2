// Who looks into the files of dead workers: how many at a time, for how long, as whom.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/post_mortem.h"

namespace poolwarden::process {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using diagnosis::Evidence;
using testing::HasSubstr;
using Ask = asio::awaitable<Result<Evidence>> (Coroner::*)(std::vector<std::string>,
                                                           std::optional<Credentials>);

constexpr const char* kAnswer = "printf 'frame\\tmain\\n' >&3";

struct Coroners : testing::Test {
  Coroners() { std::filesystem::create_directory(folder); }
  ~Coroners() override { std::filesystem::remove_all(folder); }

  // In place of the program's own hand: a script, which has the folder as $0.
  std::vector<std::string> hand(const std::string& script) const {
    return {"/bin/sh", "-c", script, folder};
  }

  void ask(Coroner& coroner, std::optional<Credentials> identity = {}, Ask way = &Coroner::ask) {
    asio::co_spawn(io, asking(coroner, std::move(identity), way), asio::detached);
  }
  asio::awaitable<void> asking(Coroner& coroner, std::optional<Credentials> identity, Ask way) {
    std::vector<std::string> words = {"core"};
    answers.push_back(co_await (coroner.*way)(words, identity));
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
  std::string reasons() const {
    std::string all;
    for (const auto& answer : answers) all += answer ? "" : answer.error().message + "\n";
    return all;
  }

  const std::string folder = "/tmp/pwt-coroner-" + std::to_string(::getpid());
  asio::io_context io;
  std::vector<Result<Evidence>> answers;
};

const std::string kLogged =
    std::string("printf + >> $0/log; sleep 0.1; printf - >> $0/log; ") + kAnswer;

TEST_F(Coroners, LookAtAFewWorkersAtATime) {
  Coroner coroner(io, {}, hand(kLogged));
  for (int i = 0; i < 12; ++i) ask(coroner);
  run_until([&] { return answers.size() == 12; });
  EXPECT_EQ(most_at_once(), 4);
  for (const auto& answer : answers) EXPECT_EQ(answer->backtrace.size(), 1u);
}

TEST_F(Coroners, RunOneDebuggerAtATime) {
  Coroner coroner(io, {}, hand(kLogged));
  for (int i = 0; i < 5; ++i) ask(coroner, {}, &Coroner::ask_debugger);
  run_until([&] { return answers.size() == 5; });
  EXPECT_EQ(most_at_once(), 1);
  EXPECT_EQ(reasons(), "");
}

TEST_F(Coroners, RefuseWhenTooManyWait) {
  Coroner coroner(io, {},
                  hand(std::string("while [ ! -e $0/go ]; do sleep 0.01; done; ") + kAnswer));
  for (int i = 0; i < 20; ++i) ask(coroner, {}, &Coroner::ask_debugger);
  run_until([&] { return answers.size() == 11; });
  for (const auto& answer : answers)
    EXPECT_EQ(answer.error().message, "too many workers ended at the same time");
  std::ofstream(folder + "/go") << "";
  run_until([&] { return answers.size() == 20; });
  EXPECT_TRUE(answers.back()) << "one at work, eight that waited";
}

TEST_F(Coroners, KillOneThatHangsWithAllThatItHasStarted) {
  Coroner coroner(io, {}, hand("sleep 1000 & echo $! > $0/pid; wait"));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_THAT(reasons(), HasSubstr("it took longer than 5s"));
  const int below = std::stoi(text_of("pid"));
  run_until([&] {
    std::ifstream file("/proc/" + std::to_string(below) + "/cmdline");
    return std::string(std::istreambuf_iterator<char>(file), {}).empty();
  });
}

TEST_F(Coroners, SayWhyNobodyLooked) {
  Coroner missing(io, {}, {"/nonexistent/hand"});
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
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  Coroner coroner(io, {}, hand("printf 'frame\\t%s %s\\n' \"$(id -u)\" \"$(id -g)\" >&3"));
  ask(coroner, Credentials{65534, 65533, {}});
  run_until([&] { return answers.size() == 1; });
  ASSERT_TRUE(answers[0]);
  EXPECT_THAT(answers[0]->backtrace, testing::ElementsAre("65534 65533"));
}

TEST_F(Coroners, TakeABoundedReport) {
  Coroner coroner(io, {}, hand("yes \"$(printf 'frame\\tmain')\" >&3"));
  ask(coroner);
  run_until([&] { return answers.size() == 1; });
  EXPECT_TRUE(!answers[0] || answers[0]->backtrace.size() <= 64);
}

}  // namespace
}  // namespace poolwarden::process
