// How a worker is asked whether it is well, and what it says of itself.

#include <boost/asio/local/stream_protocol.hpp>

#include "integration/process/host_fixture.h"
#include "process/pinger.h"

namespace poolwarden::process {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using worker::ConnectMode;
using worker::PingResult;

worker::Watch pings(Duration timeout, Duration interval = 5ms) {
  worker::Watch watch;
  watch.ping_path = "/healthz";
  watch.ping_interval = interval;
  watch.ping_timeout = timeout;
  return watch;
}

struct WorkerPings : HostFixture {
  Told& serve(const std::string& status, const worker::Watch& watch,
              ConnectMode connect = ConnectMode::Unix) {
    worker::WorkerSettings settings;
    settings.command = {program("serve"), status};
    settings.connect = connect;
    Told& told = spawn(settings, true, watch);
    run_until([&] { return told.ready == 1; });
    return told;
  }

  const Told& notify(std::vector<std::string> messages, const worker::Watch& watch = {}) {
    messages.insert(messages.begin(), program("notify"));
    return spawn(command(std::move(messages)), false, watch);
  }
};

struct EachConnect : WorkerPings, testing::WithParamInterface<ConnectMode> {};

const char* const kConnects[] = {"Unix", "Tcp", "Inherit"};
INSTANTIATE_TEST_SUITE_P(, EachConnect,
                         testing::Values(ConnectMode::Unix, ConnectMode::Tcp, ConnectMode::Inherit),
                         [](const auto& param) { return kConnects[param.index]; });

TEST_P(EachConnect, AWorkerIsAskedAgainAndAgain) {
  const Told& told = serve("200", pings(10s), GetParam());
  run_until([&] { return told.pings.size() >= 3; });
  EXPECT_THAT(told.pings, Each(PingResult::Answered));
  EXPECT_GE(told.pings_sent, 3);
}

TEST_F(WorkerPings, ARedirectIsAnAnswerAndAnErrorIsNot) {
  const Told& redirecting = serve("302", pings(10s));
  const Told& failing = serve("400", pings(10s));
  run_until([&] { return redirecting.pings.size() >= 1 && failing.pings.size() >= 2; });
  EXPECT_THAT(redirecting.pings, Each(PingResult::Answered));
  EXPECT_THAT(failing.pings, Each(PingResult::BadStatus));
  EXPECT_EQ(failing.last_ping_status, 400);
}

TEST_F(WorkerPings, WhatItAnsweredIsEvidenceOfItsEnd) {
  const Told& failing = serve("500", pings(10s));
  const worker::WorkerId first = last_id();
  const Told& breaking = serve("ssh", pings(10s));
  run_until([&] { return !failing.pings.empty() && !breaking.pings.empty(); });
  EXPECT_EQ(breaking.pings.front(), PingResult::Io);
  host.kill(first);
  host.kill(last_id());
  run_until([&] { return failing.exited == 1 && breaking.exited == 1; });
  ASSERT_TRUE(failing.evidence.probe);
  EXPECT_EQ(failing.evidence.probe->path, "/healthz");
  EXPECT_EQ(failing.evidence.probe->status, 500);
  EXPECT_EQ(failing.evidence.protocol_breach, "");
  EXPECT_EQ(breaking.evidence.protocol_breach, "SSH-2.0-poolwarden\\r\\n");
}

TEST_F(WorkerPings, AWorkerThatDoesNotAnswerTimesOut) {
  const Told& told = serve("hang", pings(20ms));
  run_until([&] { return told.pings.size() >= 2; });
  EXPECT_THAT(told.pings, Each(PingResult::TimedOut));
}

TEST_F(WorkerPings, AConnectionThatBreaksIsNoAnswer) {
  const Told& told = serve("close", pings(10s));
  run_until([&] { return told.pings.size() >= 2; });
  EXPECT_THAT(told.pings, Each(PingResult::Io));
}

TEST_F(WorkerPings, APingThatFailedIsTriedAgainSoonerThanItsTurn) {
  const Told& punctual = serve("200", pings(10s, 5s));
  const Told& failing = serve("close", pings(10s, 5s));  // its turns come after those
  run_until([&] { return failing.pings.size() == 2; });
  EXPECT_EQ(punctual.pings.size(), 1u);
}

TEST_F(WorkerPings, WhoeverWasAskedToStopIsNotAskedForAnythingElse) {
  const Told& told = serve("hang", pings(20ms));
  run_until([&] { return told.pings_sent == 1; });
  host.ask_to_stop(last_id());
  run_until([&] { return told.exited == 1; });
  EXPECT_THAT(told.pings, IsEmpty());
}

TEST_F(WorkerPings, APingOnItsWayIsForgottenWhenTheWorkerIsSuspended) {
  const Told& told = serve("hang", pings(20ms));
  const worker::WorkerId id = last_id();
  run_until([&] { return told.pings_sent == 1; });
  EXPECT_TRUE(host.suspend(id));
  const Told& other = serve("hang", pings(20ms));
  run_until([&] { return other.pings.size() >= 2; });
  EXPECT_EQ(told.pings_sent, 1);
  EXPECT_THAT(told.pings, IsEmpty());
  host.resume(id);
  run_until([&] { return !told.pings.empty(); });
}

TEST_F(WorkerPings, APoolWithoutHttpIsNotAsked) {
  const Told& told = spawn(command({"/bin/sleep", "1000"}), false, pings(10s));
  const Told& other = serve("200", pings(10s));
  run_until([&] { return other.pings.size() >= 3; });
  EXPECT_EQ(told.pings_sent, 0);
}

TEST_F(WorkerPings, APingGivenUpLetsItsConnectionGo) {
  namespace asio = boost::asio;
  const std::string path = testing::TempDir() + "/ping-" + std::to_string(::getpid());
  asio::local::stream_protocol::acceptor acceptor(*io,
                                                  asio::local::stream_protocol::endpoint(path));
  asio::local::stream_protocol::socket accepted(*io);
  bool connected = false, closed = false;
  std::array<char, 4096> request{};
  std::function<void(const boost::system::error_code&, std::size_t)> read_on;
  read_on = [&](const boost::system::error_code& error, std::size_t) {
    closed = error.failed();
    connected = true;
    if (!error) accepted.async_read_some(asio::buffer(request), read_on);
  };
  acceptor.async_accept(accepted, [&](const boost::system::error_code&) {
    accepted.async_read_some(asio::buffer(request), read_on);
  });
  bool told = false;
  Pinger pinger(*io, {"/", 1ms, 1h, {}, [&](const worker::PingAnswer&) { told = true; }});
  pinger.start(worker::UnixEndpoint{path});
  run_until([&] { return connected; });
  pinger.stop();
  run_until([&] { return closed; });
  EXPECT_FALSE(told);
  std::filesystem::remove(path);
}

TEST_F(WorkerPings, GoDownWithTheLoop) {
  HostSettings settings;
  settings.runtime_directory = testing::TempDir() + "/pwl-" + std::to_string(::getpid());
  int pid = 0, pings_sent = 0;
  {
    auto loop = std::make_unique<boost::asio::io_context>();
    LinuxWorkerHost short_lived(*loop, settings, tree, known);
    ASSERT_TRUE(short_lived.prepare());
    worker::WorkerSettings served;
    served.command = {program("serve"), "hang"};
    for (std::uint64_t id : {1U, 2U}) {
      worker::WorkerCallbacks callbacks;
      callbacks.started = [&](int started) { pid = started; };
      callbacks.ping_sent = [&] { ++pings_sent; };
      callbacks.exited = [](const diagnosis::Evidence&) { FAIL() << "told after the loop"; };
      short_lived.spawn({worker::WorkerId{id}, "web", 9, id, true, pings(10s)}, served, callbacks);
    }
    while (pings_sent < 2) loop->run_one();
    ASSERT_TRUE(short_lived.suspend(worker::WorkerId{1}));
  }
  run_until([&] { return !is_alive(pid); });
  std::filesystem::remove_all(settings.runtime_directory);
}

TEST_F(WorkerPings, MayBeStoppedAtAnyMoment) {
  for (int round = 0; round < 500; ++round) {
    int sent = 0;
    Pinger pinger(*io, {"/", 0s, 10s, [&] { ++sent; }, {}});
    pinger.start(worker::UnixEndpoint{"/nowhere"});
    run_until([&] { return sent > round % 7; });
    pinger.stop();
  }
  run(command({"/bin/true"}));
}

TEST_F(WorkerPings, AWatchedWorkerIsToldSoAndSendsItsWordByItself) {
  worker::Watch watch;
  watch.watchdog = true;
  watch.ping_timeout = 20s;
  const Told& told = spawn(command({program("describe_self")}), false, watch);
  run_until([&] { return wrote("end") && told.started == 1; });
  EXPECT_THAT(lines, Contains("env WATCHDOG_USEC=20000000"));
  EXPECT_THAT(lines, Contains("env WATCHDOG_PID=" + std::to_string(told.pid)));
  const Told& notifying = notify({"WATCHDOG=1", "WATCHDOG=1"}, watch);
  run_until([&] { return notifying.pings.size() == 2; });
  EXPECT_THAT(notifying.pings, Each(PingResult::Answered));
}

TEST_F(WorkerPings, AWorkerTellsThatItIsUnwellThatItStopsAndWhatFailed) {
  const Told& told =
      notify({"X_POOLWARDEN_UNHEALTHY=out of ideas", "STATUS=stuck\nERRNO=2\nSTOPPING=1"});
  run_until([&] { return told.statuses.size() == 3; });
  EXPECT_THAT(told.unhealthy, ElementsAre("out of ideas"));
  EXPECT_THAT(told.statuses,
              ElementsAre("stuck", "reports errno 2 (No such file or directory)", "is stopping"));
  EXPECT_THAT(told.pings, IsEmpty());
}

}  // namespace
}  // namespace poolwarden::process
