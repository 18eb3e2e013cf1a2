// What one side of the control link says, the other reads; what nobody should say is refused.

#include "link/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::link {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

template <typename Message>
Message through_gateway_link(const Message& message) {
  const Result<ToGateway> read = decode_to_gateway(encode(ToGateway(message)));
  if (!read) ADD_FAILURE() << read.error().message;
  return std::get<Message>(read.value());
}

template <typename Message>
Message through_supervisor_link(const Message& message) {
  const Result<ToSupervisor> read = decode_to_supervisor(encode(ToSupervisor(message)));
  if (!read) ADD_FAILURE() << read.error().message;
  return std::get<Message>(read.value());
}

std::string refusal_to_gateway(std::string_view packet) {
  const Result<ToGateway> read = decode_to_gateway(packet);
  return read ? "was taken" : read.error().message;
}

std::string refusal_to_supervisor(std::string_view packet) {
  const Result<ToSupervisor> read = decode_to_supervisor(packet);
  return read ? "was taken" : read.error().message;
}

TEST(Codec, CarriesAWelcome) {
  const Welcome read = through_gateway_link(Welcome{.listeners = {"a:80", "unix:/b \"c\""}});
  EXPECT_THAT(read.listeners, testing::ElementsAre("a:80", "unix:/b \"c\""));
}

TEST(Codec, CarriesAPoolWithAllItsSettings) {
  PoolAdded sent;
  sent.pool = "web";
  sent.board_slot = 7;
  sent.routes = {{.host = "*", .path = "/"}, {.host = "*.example.org", .path = "/api"}};
  sent.concurrency = 12;
  sent.queue = {.limit = 9,
                .timeout = 1500ms,
                .recycle_over = std::nullopt,
                .restart_limit = 4,
                .client_check = std::nullopt};
  sent.when_open = pool::WhenOpen::Reset;
  sent.request_timeout = 3min;
  sent.mode = PoolMode::RapidFail;

  const PoolAdded read = through_gateway_link(sent);

  EXPECT_EQ(read.pool, sent.pool);
  EXPECT_EQ(read.board_slot, sent.board_slot);
  EXPECT_EQ(read.routes, sent.routes);
  EXPECT_EQ(read.concurrency, sent.concurrency);
  EXPECT_EQ(read.queue, sent.queue);
  EXPECT_EQ(read.when_open, sent.when_open);
  EXPECT_EQ(read.request_timeout, sent.request_timeout);
  EXPECT_EQ(read.mode, sent.mode);
}

TEST(Codec, CarriesEachModeOfAPool) {
  for (const PoolMode mode : {PoolMode::Open, PoolMode::Restarting, PoolMode::Stopped,
                              PoolMode::RapidFail, PoolMode::StartFailure}) {
    const PoolModeChanged read = through_gateway_link(
        PoolModeChanged{.pool = "web", .mode = mode, .retry_after_seconds = 30});
    EXPECT_EQ(read.mode, mode);
    EXPECT_EQ(read.pool, "web");
    EXPECT_EQ(read.retry_after_seconds, 30U);
  }
}

TEST(Codec, CarriesBothKindsOfEndpoint) {
  const Endpoint tcp = worker::TcpEndpoint{.host = "127.0.0.1", .port = 65535};
  const Endpoint unix_socket = worker::UnixEndpoint{.path = "/run/w.sock"};
  for (const Endpoint& endpoint : {tcp, unix_socket}) {
    const WorkerReady read = through_gateway_link(WorkerReady{
        .pool = "web", .id = WorkerId{~0ULL}, .board_slot = 4095, .endpoint = endpoint});
    EXPECT_EQ(read.endpoint, endpoint);
    EXPECT_EQ(read.id, WorkerId{~0ULL});
    EXPECT_EQ(read.board_slot, 4095U);
  }
}

TEST(Codec, CarriesEachCauseOfADrain) {
  for (std::size_t i = 0; i < dispatch::kLossCauses; ++i) {
    const auto cause = static_cast<dispatch::LossCause>(i);
    const DrainWorker read = through_gateway_link(
        DrainWorker{.id = WorkerId{5}, .cause = cause, .tunnel_limit = std::nullopt});
    EXPECT_EQ(read.cause, cause);
    EXPECT_EQ(read.id, WorkerId{5});
    EXPECT_EQ(read.tunnel_limit, std::nullopt);
  }
}

TEST(Codec, CarriesTheLimitOfTunnels) {
  for (const Duration limit : {Duration(0), Duration(1ns), Duration(1min)}) {
    const DrainWorker read =
        through_gateway_link(DrainWorker{.id = WorkerId{5}, .cause = {}, .tunnel_limit = limit});
    EXPECT_EQ(read.tunnel_limit, limit);
  }
}

TEST(Codec, CarriesTheSmallMessages) {
  EXPECT_EQ(through_gateway_link(WorkerGone{.id = WorkerId{6}}).id, WorkerId{6});
  EXPECT_EQ(through_gateway_link(AbandonWorker{.id = WorkerId{9}}).id, WorkerId{9});
  EXPECT_EQ(through_gateway_link(PoolRemoved{.pool = "web"}).pool, "web");
  through_gateway_link(RoutesChanged{});
  through_gateway_link(Quiesce{});
  EXPECT_EQ(through_supervisor_link(Hello{.pid = 4711}).pid, 4711);
  EXPECT_EQ(through_supervisor_link(Demand{.pool = "web"}).pool, "web");
  EXPECT_EQ(through_supervisor_link(WorkerDrained{.id = WorkerId{8}}).id, WorkerId{8});
  EXPECT_EQ(through_supervisor_link(DrainBroken{.id = WorkerId{9}}).id, WorkerId{9});
  EXPECT_EQ(through_supervisor_link(RequestTimedOut{.id = WorkerId{10}}).id, WorkerId{10});
  through_supervisor_link(Quiesced{});
}

TEST(Codec, CarriesARequestThatWasCutShort) {
  const RequestCutShort read = through_supervisor_link(
      RequestCutShort{WorkerId{11}, "POST", "/orders/7 \"x\"", Duration(1500ms)});
  EXPECT_EQ(read.id, WorkerId{11});
  EXPECT_EQ(read.method, "POST");
  EXPECT_EQ(read.path, "/orders/7 \"x\"");
  EXPECT_EQ(read.age, Duration(1500ms));
}

TEST(Codec, RefusesWhatIsNoMessage) {
  EXPECT_THAT(refusal_to_gateway(""), HasSubstr("no JSON"));
  EXPECT_THAT(refusal_to_gateway("\xff\xfe"), HasSubstr("no JSON"));
  EXPECT_THAT(refusal_to_gateway("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_to_gateway("{}"), HasSubstr("field kind is missing"));
  EXPECT_THAT(refusal_to_gateway(R"({"kind":7})"), HasSubstr("field kind is no text"));
  EXPECT_THAT(refusal_to_gateway(R"({"kind":"hello","pid":1})"), HasSubstr("known words"));
  EXPECT_THAT(refusal_to_gateway(std::string(100000, '[')), HasSubstr("no JSON"));
}

TEST(Codec, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"hello"})"),
              HasSubstr("message hello: field pid is missing"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"hello","pid":"1"})"), HasSubstr("field pid"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"hello","pid":-1})"), HasSubstr("field pid"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"hello","pid":1.0})"), HasSubstr("field pid"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"hello","pid":2147483648})"),
              HasSubstr("from 0 to 2147483647"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"demand","pool":null})"), HasSubstr("field pool"));
  EXPECT_THAT(refusal_to_supervisor(R"({"kind":"quiesced","more":1})"),
              HasSubstr("fields that it should not have"));
}

TEST(Codec, LooksIntoThePartsOfAMessage) {
  EXPECT_THAT(refusal_to_gateway(R"({"kind":"worker_ready","pool":"p","id":1,"board_slot":0,)"
                                 R"("endpoint":{"host":"h","port":65536}})"),
              HasSubstr("cannot read the endpoint: field port"));
  EXPECT_THAT(refusal_to_gateway(R"({"kind":"worker_ready","pool":"p","id":1,"board_slot":0,)"
                                 R"("endpoint":{"unix":"/a","host":"b"}})"),
              HasSubstr("cannot read the endpoint"));
  EXPECT_THAT(refusal_to_gateway(R"({"kind":"welcome","listeners":["a",1]})"),
              HasSubstr("field listeners"));
  EXPECT_THAT(refusal_to_gateway(R"({"kind":"drain_worker","id":1,"cause":"mood"})"),
              HasSubstr("field cause"));
  EXPECT_THAT(refusal_to_gateway(
                  R"({"kind":"drain_worker","id":1,"cause":"recycle","tunnel_limit":"long"})"),
              HasSubstr("field tunnel_limit"));
}

TEST(Codec, RefusesEachMessageCutShort) {
  const std::string whole = encode(ToGateway(PoolAdded()));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_to_gateway(std::string_view(whole).substr(0, length))) << length;
  }
}

}  // namespace
}  // namespace poolwarden::link
