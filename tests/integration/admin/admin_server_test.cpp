// The admin address over real sockets, spoken to as a scraper, a browser and a rude client would.

#include "admin/admin_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <cstring>
#include <filesystem>
#include <thread>

#include "admin/connection.h"
#include "fakes/full_certificate.h"
#include "fakes/sample_snapshot.h"
#include "loop/unique_fd.h"
#include "metrics/event_metrics.h"
#include "metrics/snapshot_collector.h"
#include "metrics/status_report.h"

namespace poolwarden::admin {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where = {};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un where = {};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, path.c_str());
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
  }

  void say(const std::string& text) const {
    ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  // Reads until `end` has come, or the other side closes, or a minute is over.
  std::string hear(const std::string& end = "\r\n\r\n\x01never") {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (heard_.find(end) == std::string::npos && std::chrono::steady_clock::now() < deadline) {
      pollfd poll = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&poll, 1, 100) <= 0) continue;
      char piece[65536];
      const ssize_t length = ::recv(fd_.get(), piece, sizeof piece, 0);
      if (length <= 0) break;
      heard_.append(piece, static_cast<std::size_t>(length));
    }
    return heard_;
  }

  bool connected() const { return connected_; }

 private:
  loop::UniqueFd fd_;
  bool connected_ = false;
  std::string heard_;
};

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest()
      : null_(::open("/dev/null", O_WRONLY | O_CLOEXEC)),
        journal_({.fd = null_.get()}),
        board_(link::ScoreboardMap::create().value()),
        states_(published_, board_.board()) {
    exposition_.add("events", events_);
    exposition_.add("pools", states_);
    published_.publish(fakes::sample_snapshot());
    server_ = start({.host = "127.0.0.1", .port = 0, .unix_path = ""}).value();
  }

  Result<std::unique_ptr<AdminServer>> start(const AdminAddress& address) {
    return AdminServer::start(address, {.snapshots = published_,
                                        .exposition = exposition_,
                                        .status = [this] { return status(); },
                                        .journal = journal_,
                                        .deaths = deaths_});
  }

  boost::json::object status() const {
    return metrics::status_report(*published_.read(), board_.board(), nullptr, fakes::kNow);
  }

  std::string ask(const std::string& request_line, const std::string& fields = "") const {
    Client client(server_->port());
    client.say(request_line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + "\r\n");
    return client.hear();
  }

  void record(const std::string& pool, const std::string& sentence) {
    journal_.record({.kind = pool::EventKind::PoolStarting,
                     .pool = pool,
                     .worker = std::nullopt,
                     .sentence = sentence});
  }

  loop::UniqueFd null_;
  journal::Journal journal_;
  journal::DeathRegister deaths_;
  link::ScoreboardMap board_;
  loop::Published<pool::Snapshot> published_;
  metrics::EventMetrics events_;
  metrics::SnapshotCollector states_;
  metrics::Exposition exposition_;
  std::unique_ptr<AdminServer> server_;
};

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_F(AdminServerTest, ServesMetricsInTheFormatThatIsAskedFor) {
  EXPECT_THAT(ask("GET /metrics"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("text/plain; version=0.0.4"),
                    HasSubstr("poolwarden_pool_state{pool=\"web\",state=\"running\"} 1\n")));
  EXPECT_THAT(ask("GET /metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
              AllOf(HasSubstr("application/openmetrics-text; version=1.0.0"), EndsWith("# EOF\n")));
}

TEST_F(AdminServerTest, SaysThatItLives) { EXPECT_EQ(body_of(ask("GET /healthz")), "ok\n"); }

TEST_F(AdminServerTest, AnswersHeadWithoutABody) {
  const std::string answer = ask("HEAD /healthz");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Content-Length: 3\r\n")));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(AdminServerTest, SaysWhetherPoolsCanServeAndWhyNot) {
  EXPECT_THAT(ask("GET /readyz"), AllOf(StartsWith("HTTP/1.1 200"), EndsWith("web: serving\n")));
  auto stopped = fakes::sample_snapshot();
  stopped->pools[0].disabled = pool::DisabledReason::RapidFail;
  stopped->pools[0].disabled_because = "5 failures within 5m";
  published_.publish(stopped);
  EXPECT_THAT(ask("GET /readyz"),
              AllOf(StartsWith("HTTP/1.1 503"),
                    EndsWith("web: disabled (rapid_fail): 5 failures within 5m\n")));
  auto hostile = fakes::sample_snapshot();
  hostile->pools[0].disabled = pool::DisabledReason::RapidFail;
  hostile->pools[0].disabled_because = "\x1b[2J\nbad";
  published_.publish(hostile);
  EXPECT_THAT(ask("GET /readyz"), EndsWith("web: disabled (rapid_fail): \\x1b[2J\\nbad\n"));
  const auto report =
      boost::json::parse(body_of(ask("GET /readyz", "Accept: application/json\r\n")));
  EXPECT_EQ(report.at("ready"), false);
  EXPECT_EQ(report.at("pools").at(0).at("can_serve"), false);
}

TEST_F(AdminServerTest, ShowsStatusAndEventsAsJson) {
  record("web", "one");
  record("api", "two");
  record("web", "three");
  const auto status = boost::json::parse(body_of(ask("GET /api/v1/status")));
  EXPECT_EQ(status.at("pools").at(0).at("name"), "web");
  const auto all = boost::json::parse(body_of(ask("GET /api/v1/events"))).as_array();
  EXPECT_EQ(all.size(), 3U);
  const auto last =
      boost::json::parse(body_of(ask("GET /api/v1/events?pool=w%65b&limit=1"))).as_array();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last.at(0).at("message"), "three");
}

TEST_F(AdminServerTest, StreamsEventsThatWereAndThatCome) {
  record("web", "before");
  Client client(server_->port());
  client.say("GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
  EXPECT_THAT(client.hear("before"), AllOf(HasSubstr("Content-Type: text/event-stream"),
                                           HasSubstr("id: 1\nevent: pool.starting\ndata: {")));
  record("web", "after");
  EXPECT_THAT(client.hear("after\"}\n\n"), HasSubstr("id: 2\nevent: pool.starting\n"));
}

TEST_F(AdminServerTest, ContinuesAnEventStreamWhereItBroke) {
  record("web", "one");
  record("web", "two");
  Client client(server_->port());
  client.say(
      "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
      "Last-Event-ID: 1\r\n\r\n");
  EXPECT_THAT(client.hear("two"), AllOf(Not(HasSubstr("id: 1\n")), HasSubstr("id: 2\n")));
}

TEST_F(AdminServerTest, EndsAtOnceWhileSomebodyFollows) {
  Client client(server_->port());
  client.say("GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
  client.hear("\r\n\r\n");
  const Client silent(server_->port());
  const auto begin = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(AdminServerTest, KeepsScrapesPossibleWhenManyFollow) {
  std::vector<std::unique_ptr<Client>> followers;
  for (std::size_t i = 0; i < kMaxFollowers; ++i) {
    followers.push_back(std::make_unique<Client>(server_->port()));
    followers.back()->say(
        "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
    followers.back()->hear("\r\n\r\n");
  }
  EXPECT_THAT(ask("GET /api/v1/events", "Accept: text/event-stream\r\n"),
              StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask("GET /healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, ClosesConnectionsBeyondItsLimit) {
  std::vector<std::unique_ptr<Client>> open;
  for (std::size_t i = 0; i < kMaxConnections; ++i) {
    open.push_back(std::make_unique<Client>(server_->port()));
    open.back()->say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_THAT(open.back()->hear("ok\n"), EndsWith("ok\n"));
  }
  EXPECT_EQ(ask("GET /healthz"), "");
  open.clear();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::string answer;
  while (answer.empty() && std::chrono::steady_clock::now() < deadline)
    answer = ask("GET /healthz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, ShowsDeathCertificatesNewestFirst) {
  for (int i = 0; i < 6; ++i) {
    auto certificate = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
    certificate->pool = i % 2 == 0 ? "web" : "api";
    certificate->slot = static_cast<std::uint32_t>(i / 2);
    certificate->diagnosis.expected = i < 4;
    deaths_.enter({pool::EventKind::WorkerExited, certificate->pool, pool::WorkerName{}, "",
                   pool::ExitDetails{certificate, {}, true}},
                  WallClock::now());
  }
  const auto numbers = [&](const std::string& query) {
    std::string found;
    const auto answer = boost::json::parse(body_of(ask("GET /api/v1/certificates" + query)));
    for (const auto& one : answer.as_array())
      found += " " + std::to_string(one.at("number").to_number<int>());
    return found;
  };
  EXPECT_EQ(numbers(""), " 6 5 4 3 2 1");
  EXPECT_EQ(numbers("?pool=web"), " 5 3 1");
  EXPECT_EQ(numbers("?pool=web&worker=1"), " 3");
  EXPECT_EQ(numbers("?pool=web&worker=x"), "");
  EXPECT_EQ(numbers("?pool=none"), "");
  EXPECT_EQ(numbers("?last=1"), " 6 5");
  EXPECT_EQ(numbers("?expected=false"), " 6 5");
  EXPECT_THAT(ask("GET /api/v1/certificates?last=1"),
              AllOf(HasSubstr("application/json"), HasSubstr("\"stack_overflow\""),
                    HasSubstr("\"Traceback\"")));
}

TEST_F(AdminServerTest, ShowsNoMoreCertificatesThanFitInAnAnswer) {
  auto large = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
  large->diagnosis.expected = false;
  large->evidence.output.assign(50, {true, std::string(1000, 'o')});
  for (std::uint32_t i = 0; i < 120; ++i) {
    auto small = std::make_shared<diagnosis::Certificate>(fakes::full_certificate());
    small->pool = "small";
    small->slot = large->slot = i;
    small->diagnosis.expected = false;
    for (const auto& each : {small, std::make_shared<diagnosis::Certificate>(*large)})
      deaths_.enter({pool::EventKind::WorkerExited, each->pool, pool::WorkerName{}, "",
                     pool::ExitDetails{each, {}, true}},
                    WallClock::now());
  }
  const std::string bounded = ask("GET /api/v1/certificates?pool=web&last=2000");
  EXPECT_LT(bounded.size(), 3u << 20);
  const auto all = boost::json::parse(body_of(bounded)).as_array();
  EXPECT_EQ(all.at(0).at("number"), 240);
  EXPECT_THAT(bounded, HasSubstr("Poolwarden-Note: " + std::to_string(100 - all.size()) +
                                 " older ones are left out"));
  const std::string clamped = ask("GET /api/v1/certificates?pool=small&last=18446744073709551615");
  EXPECT_EQ(boost::json::parse(body_of(clamped)).as_array().size(), 100u);
  EXPECT_THAT(clamped, Not(HasSubstr("Poolwarden-Note")));
}

TEST_F(AdminServerTest, KeepsAConnectionForTheNextRequest) {
  Client client(server_->port());
  client.say("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.hear("not found"), HasSubstr("HTTP/1.1 404"));
}

TEST_F(AdminServerTest, ShowsThePage) {
  EXPECT_THAT(ask("GET /"), AllOf(HasSubstr("text/html"), HasSubstr("<title>Poolwarden</title>"),
                                  HasSubstr("Content-Security-Policy: default-src 'none'")));
}

TEST_F(AdminServerTest, TurnsDownWhatItDoesNotDo) {
  EXPECT_THAT(ask("GET /elsewhere"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST /api/v1/status", "Content-Length: 5\r\n"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD")));
  EXPECT_THAT(ask("GET  /two spaces"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /", "X: " + std::string(9000, 'x') + "\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(AdminServerTest, AnswersBeforeAnythingIsPublished) {
  published_.publish(nullptr);
  EXPECT_THAT(ask("GET /readyz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(ask("GET /metrics"), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, SaysWhoseAddressItIsWhenItIsTaken) {
  const auto second = start({.host = "127.0.0.1", .port = server_->port(), .unix_path = ""});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              AllOf(StartsWith("cannot listen on admin address 127.0.0.1:"),
                    HasSubstr("Address already in use"), HasSubstr("set `admin` to another")));
}

TEST_F(AdminServerTest, ListensOnAUnixSocketAndRemovesItAtTheEnd) {
  const std::string path = testing::TempDir() + "poolwarden-admin.sock";
  {
    const loop::UniqueFd left_behind(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un where = {};
    where.sun_family = AF_UNIX;
    std::strcpy(where.sun_path, path.c_str());
    ASSERT_EQ(::bind(left_behind.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  }
  {
    const auto server = start({.host = "", .port = 0, .unix_path = path}).value();
    EXPECT_EQ(server->port(), 0);
    EXPECT_FALSE(start({.host = "", .port = 0, .unix_path = path}));  // it is in use
    Client client(path);
    client.say("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.hear(), EndsWith("ok\n"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(AdminServerTest, HearsAllEventsWhileItIsAsked) {
  std::thread recording([&] {
    for (int i = 0; i < 500; ++i) record("web", "e" + std::to_string(i));
  });
  Client client(server_->port());
  client.say("GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
  const std::string heard = client.hear("\"e499\"");
  recording.join();
  for (int i = 1; i <= 500; ++i) {
    EXPECT_THAT(heard, HasSubstr("id: " + std::to_string(i) + "\n"));
  }
}

}  // namespace
}  // namespace poolwarden::admin
