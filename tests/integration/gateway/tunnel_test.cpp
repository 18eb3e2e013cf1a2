// Upgraded connections.

#include <atomic>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using TunnelTest = GatewayTest;

const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: k\r\n\r\n";

void echo_after_upgrade(TextSocket& worker) {
  const Message request = worker.read_message();
  EXPECT_EQ(request["upgrade"], "websocket");
  EXPECT_EQ(request["connection"], "upgrade");
  EXPECT_EQ(request["sec-websocket-key"], "k");
  worker.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: v\r\n\r\nhello");
  for (std::string byte = worker.read_exactly(1); !byte.empty(); byte = worker.read_exactly(1)) {
    if (!worker.send(byte)) return;
  }
}

TEST_F(TunnelTest, PassesBytesBothWaysAfterTheSwitch) {
  serve(echo_after_upgrade);
  TextSocket client = connect();
  client.send(kUpgrade + "early");
  const Message answer = client.read_message();
  EXPECT_EQ(answer.status(), 101);
  EXPECT_EQ(answer["upgrade"], "websocket");
  EXPECT_EQ(answer["sec-websocket-accept"], "v");
  EXPECT_EQ(client.read_exactly(10), "helloearly");
  EXPECT_EQ(link::load(row().tunnels), 1u);
  client.send("more");
  EXPECT_EQ(client.read_exactly(4), "more");
  client.close_sending();
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(eventually([&] { return link::load(row().tunnels) == 0; }));
  EXPECT_EQ(responses(101), 1u);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
}

TEST_F(TunnelTest, EndsWhenTheWorkerDoes) {
  ScriptedWorker& worker = serve(echo_after_upgrade);
  TextSocket client = connect();
  client.send(kUpgrade);
  EXPECT_EQ(client.read_message().status(), 101);
  EXPECT_EQ(client.read_exactly(5), "hello");
  worker.die();
  EXPECT_TRUE(client.at_end());
  client.close();
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
}

TEST_F(TunnelTest, PassesAnAnswerThatDeclines) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send(simple_response("no sockets here"));
  });
  TextSocket client = connect();
  client.send(kUpgrade);
  EXPECT_EQ(client.read_message().body, "no sockets here");
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_message().status(), 200);
}

TEST_F(TunnelTest, IsClosedAWhileAfterItsWorkerIsMarked) {
  serve(echo_after_upgrade);
  TextSocket client = connect();
  client.send(kUpgrade);
  EXPECT_EQ(client.read_message().status(), 101);
  EXPECT_EQ(client.read_exactly(5), "hello");
  const auto marked = std::chrono::steady_clock::now();
  tell(link::DrainWorker{worker::WorkerId{1}, dispatch::LossCause::Recycle});
  client.send("still");
  EXPECT_EQ(client.read_exactly(5), "still");
  EXPECT_TRUE(client.at_end());
  EXPECT_GE(std::chrono::steady_clock::now() - marked, 4s);
  client.close();
  EXPECT_EQ(expect<link::WorkerDrained>().id, worker::WorkerId{1});
  EXPECT_EQ(lost(dispatch::LossCause::Recycle), 0u);
}

}  // namespace
}  // namespace poolwarden::testing
