// Upgraded connections.

#include <sys/socket.h>

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

// A client with a tunnel to worker 1, which echoes.
class OpenTunnelTest : public GatewayTest {
 protected:
  TextSocket open_tunnel() {
    TextSocket client = connect();
    client.send(kUpgrade);
    EXPECT_EQ(client.read_message().status(), 101);
    EXPECT_EQ(client.read_exactly(5), "hello");
    return client;
  }
  static void expect_echo(TextSocket& client) {
    client.send("still");
    EXPECT_EQ(client.read_exactly(5), "still");
  }
  // Those of worker 2 have been cut: the sweep that did it has spared all others that live.
  void let_a_sweep_pass() {
    add_worker(echo_after_upgrade, 2);
    TextSocket other = open_tunnel();
    drain(2, dispatch::LossCause::Recycle, 0ms);
    EXPECT_TRUE(other.was_closed());
    expect_drained(2);
  }
  void expect_drained(std::uint64_t id) {
    EXPECT_EQ(expect<link::WorkerDrained>().id, worker::WorkerId{id});
  }
};

TEST_F(OpenTunnelTest, IsCountedForItsWorker) {
  serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  EXPECT_EQ(link::load(worker_row().tunnels), 1u);
  EXPECT_EQ(link::load(worker_row().in_flight), 1u);
  client.close();
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().tunnels) == 0; }));
}

TEST_F(OpenTunnelTest, IsClosedInGoodOrderWhenItsTimeIsOver) {
  serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  const auto marked = std::chrono::steady_clock::now();
  drain(1, dispatch::LossCause::Recycle, 300ms);
  expect_echo(client);
  EXPECT_TRUE(client.was_closed());
  EXPECT_GE(std::chrono::steady_clock::now() - marked, 300ms);
  // The client keeps its side open: that holds nobody up.
  expect_drained(1);
  EXPECT_EQ(link::load(worker_row().tunnels), 0u);
  EXPECT_EQ(lost(dispatch::LossCause::Recycle), 0u);
  EXPECT_EQ(failures(dispatch::RequestFailure::WorkerDied), 0u);
}

TEST_F(OpenTunnelTest, EndsForItsWorkerToo) {
  serve([&](TextSocket& worker) {
    echo_after_upgrade(worker);  // until the end of what it reads
    seen = true;
  });
  TextSocket client = open_tunnel();
  drain(1, dispatch::LossCause::Recycle, 0ms);
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
}

TEST_F(OpenTunnelTest, IsClosedInGoodOrderAlsoWhileItsClientSends) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\nhello");
    worker.read_to_end();
  });
  TextSocket client = open_tunnel();
  std::atomic<bool> stop = false;
  std::thread sender([&] {
    const std::string block(1000, 'x');
    while (!stop && ::send(client.fd(), block.data(), block.size(), MSG_NOSIGNAL) > 0) ++count;
  });
  EXPECT_TRUE(eventually([&] { return count > 100; }));
  drain(1, dispatch::LossCause::Recycle, 0ms);
  EXPECT_TRUE(client.was_closed());
  expect_drained(1);
  stop = true;
  sender.join();
}

TEST_F(OpenTunnelTest, EndsAlsoWhenItsClientReadsNothing) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\nhello");
    const std::string block(100'000, 'x');
    while (worker.send(block)) ++count;
  });
  TextSocket client = open_tunnel();
  int before = -1;  // until it is stuck
  EXPECT_TRUE(eventually([&] { return std::exchange(before, count.load()) > 2; }));
  drain(1, dispatch::LossCause::Recycle, 0ms);
  expect_drained(1);
}

TEST_F(OpenTunnelTest, HoldsADrainUpWhereItHasNoLimit) {
  serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  drain(1);
  let_a_sweep_pass();
  expect_echo(client);
  client.close();
  expect_drained(1);
}

TEST_F(OpenTunnelTest, IsNotCutWhileARequestHoldsTheDrainUpAnyway) {
  serve([&](TextSocket& worker) {
    const Message request = worker.read_message();
    if (request.has("upgrade")) {
      worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\nhello");
      for (std::string byte = worker.read_exactly(1); !byte.empty(); byte = worker.read_exactly(1))
        worker.send(byte);
      return;
    }
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("done"));
  });
  TextSocket client = open_tunnel();
  TextSocket slow = connect();
  slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().in_flight) == 2; }));
  drain(1, dispatch::LossCause::Recycle, 0ms);
  let_a_sweep_pass();
  expect_echo(client);
  go = true;
  EXPECT_EQ(slow.read_message().body, "done");
  EXPECT_TRUE(client.was_closed());
  expect_drained(1);
}

TEST_F(OpenTunnelTest, TakesTheLimitOfTheLastMark) {
  serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  drain(1);
  drain(1, dispatch::LossCause::Shutdown, 0ms);
  EXPECT_TRUE(client.was_closed());
  expect_drained(1);
}

TEST_F(OpenTunnelTest, OfAWorkerThatIsGoneDoesNotWaitForItsClient) {
  ScriptedWorker& worker = serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  worker.die();
  tell(link::WorkerGone{worker::WorkerId{1}});
  EXPECT_TRUE(client.was_closed());
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
}

TEST_F(OpenTunnelTest, DoesNotHoldUpTheEndOfTheService) {
  serve(echo_after_upgrade);
  TextSocket client = open_tunnel();
  tell(link::Quiesce{});
  expect<link::Quiesced>();
  expect_echo(client);
  drain(1, dispatch::LossCause::Shutdown, 0ms);
  EXPECT_TRUE(client.was_closed());
  expect_drained(1);
}

}  // namespace
}  // namespace poolwarden::testing
