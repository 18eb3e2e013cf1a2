// When a worker counts as ready, by each way of reaching it and of asking it.

#include <arpa/inet.h>
#include <pwd.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "integration/process/host_fixture.h"
#include "process/readiness.h"

namespace poolwarden::process {
namespace {

using testing::Contains;
using testing::ElementsAre;
using worker::ConnectMode;

struct WorkerReadiness : HostFixture {
  static worker::WorkerSettings server(ConnectMode connect, worker::ReadyWhen when) {
    worker::WorkerSettings settings;
    settings.command = {program("serve")};
    settings.connect = connect;
    settings.ready.when = std::move(when);
    return settings;
  }
};

TEST_F(WorkerReadiness, AUnixSocketIsReadyWhenItAcceptsAndTheGatewayMayReachIt) {
  auto settings = server(ConnectMode::Unix, worker::WhenConnect{});
  settings.identity.user = "nobody";
  settings.identity.umask = 0077;
  const Told& told = spawn(settings, true);
  run_until([&] { return told.ready == 1; });
  const std::string path = std::get<worker::UnixEndpoint>(told.endpoint).path;
  struct stat socket {
  }, directory{};
  ASSERT_EQ(::stat(path.c_str(), &socket), 0);
  ASSERT_EQ(::stat(path.substr(0, path.rfind('/')).c_str(), &directory), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0666u);
  EXPECT_EQ(directory.st_mode & 0777, 0750u);
  EXPECT_EQ(directory.st_uid, ::getpwnam("nobody")->pw_uid);
}

TEST_F(WorkerReadiness, ATcpPortIsReadyWhenItAccepts) {
  const Told& told = spawn(server(ConnectMode::Tcp, worker::WhenConnect{}), true);
  run_until([&] { return told.ready == 1; });
  EXPECT_GT(std::get<worker::TcpEndpoint>(told.endpoint).port, 0);
}

TEST_F(WorkerReadiness, AnInheritedSocketIsAskedOverHttp) {
  const Told& told = spawn(server(ConnectMode::Inherit, worker::WhenHttp{"/healthz"}), true);
  run_until([&] { return told.ready == 1; });
  EXPECT_TRUE(std::holds_alternative<worker::UnixEndpoint>(told.endpoint));
}

TEST_F(WorkerReadiness, AnAnswerOfFiveHundredIsNotReady) {
  auto settings = server(ConnectMode::Unix, worker::WhenHttp{"/"});
  settings.command.push_back("500");
  const Told& told = spawn(settings, true);
  run_until([&] { return wrote("listening"); });
  const TimePoint later = Clock::now() + 200ms;
  run_until([&] { return Clock::now() > later; });
  EXPECT_EQ(told.ready, 0);
}

TEST_F(WorkerReadiness, EachAnswerIsToldAsWhatItIs) {
  struct Row {
    const char* answers;
    int status;
    bool was_answered;
    const char* error;
    const char* breach;
  };
  const Row rows[] = {{"503", 503, true, "", ""},
                      {"ssh", 0, true, "bad version", "SSH-2.0-poolwarden\\r\\n"},
                      {"half", 0, true, "partial message", ""},
                      {"close", 0, false, "end of stream", ""},
                      {"hang", 0, false, "no answer in time", ""}};
  for (const Row& row : rows) {
    auto settings = server(ConnectMode::Unix, worker::WhenConnect{});
    settings.command.push_back(row.answers);
    const Told& told = spawn(settings, true);
    run_until([&] { return told.ready == 1; });
    std::optional<HttpAnswer> answer;
    const auto limit = row.answers == std::string("hang") ? Duration(50ms) : Duration(10s);
    boost::asio::co_spawn(*io, ask_http(told.endpoint, "/readyz", limit),
                          [&](const std::exception_ptr&, HttpAnswer got) { answer = got; });
    run_until([&] { return answer.has_value(); });
    EXPECT_EQ(answer->status, row.status) << row.answers;
    EXPECT_EQ(answer->was_answered, row.was_answered) << row.answers;
    EXPECT_EQ(answer->error, row.error) << row.answers;
    EXPECT_EQ(answer->breach, row.breach) << row.answers;
  }
}

TEST_F(WorkerReadiness, WhatItAnsweredIsEvidenceOfItsEnd) {
  ProbeRecord record;
  EXPECT_FALSE(record.told());
  record.add("/readyz", {.error = "Connection refused"});
  EXPECT_FALSE(record.told()->was_answered);
  record.add("/readyz", {.status = 503, .was_answered = true});
  record.add("/readyz", {.error = "bad version", .was_answered = true, .breach = "SSH"});
  EXPECT_EQ(record.told()->status, 503) << "the last that it had";
  EXPECT_EQ(record.told()->error, "bad version");
  EXPECT_TRUE(record.told()->was_answered);
  EXPECT_EQ(record.breach(), "SSH");
  record.add("/readyz", {.status = 200, .was_answered = true});
  EXPECT_EQ(record.breach(), "") << "it speaks HTTP after all";
  record.add("/healthz", {.error = "no answer in time"});
  EXPECT_FALSE(record.told()->was_answered) << "the pings begin anew";
  EXPECT_EQ(record.told()->status, 0);
}

TEST_F(WorkerReadiness, ANotifyingWorkerIsReadyWhenItSaysSo) {
  auto settings = command({program("notify"), "STATUS=loading", "READY=1\nSTATUS=serving"});
  settings.ready.when = worker::WhenNotify{};
  const Told& told = spawn(settings);
  run_until([&] { return told.ready == 1; });
  EXPECT_THAT(told.statuses, ElementsAre("loading", "serving"));
}

TEST_F(WorkerReadiness, AWorkerThatEndsWhileItIsAskedIsNeverReady) {
  auto settings = server(ConnectMode::Unix, worker::WhenConnect{});
  settings.command = {program("exit_with"), "1"};
  const Told& told = spawn(settings, true);
  run_until([&] { return told.exited == 1; });
  EXPECT_THAT(told.order, ElementsAre("started", "exited"));
}

TEST_F(WorkerReadiness, ALinkInPlaceOfTheSocketIsNotFollowed) {
  const std::string target = testing::TempDir() + "/target-" + std::to_string(::getpid());
  std::ofstream(target) << "secret";
  ::chmod(target.c_str(), 0600);
  auto settings = command({"/bin/sh", "-c", "ln -s " + target + " $POOLWARDEN_SOCKET; sleep 1000"});
  const Told& told = spawn(settings, true);
  run_until([&] { return !told.statuses.empty(); });
  struct stat status {};
  ::stat(target.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_THAT(told.statuses.front(), testing::HasSubstr("it is no socket"));
  std::filesystem::remove(target);
}

}  // namespace
}  // namespace poolwarden::process
