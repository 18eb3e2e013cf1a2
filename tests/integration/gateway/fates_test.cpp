// What happens to each kind of request when its worker is marked: none of them is cut, and the
// limit of tunnels is not for them.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

worker::WorkerId id(std::uint64_t number) { return worker::WorkerId{number}; }

std::string request(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

ScriptedWorker::Script answer_as(const std::string& name) {
  return [name](TextSocket& worker) {
    while (worker.read_message().complete) {
      if (!worker.send(simple_response(name))) return;
    }
  };
}

class FatesTest : public GatewayTest {
 protected:
  // A replacement that is ready, and the mark for worker 1; returns when the gateway has both.
  void recycle() {
    add_worker(answer_as("new"), 2);
    drain(1, dispatch::LossCause::Recycle, 0ms);
    drain(99);
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(99));  // so worker 1 is not drained yet
  }
  void expect_drained() {
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
    for (const dispatch::LossCause cause :
         {dispatch::LossCause::Recycle, dispatch::LossCause::WorkerDied}) {
      EXPECT_EQ(lost(cause), 0u);
    }
    EXPECT_EQ(link::load(row().retries), 0u);
  }
  // Another client has been answered by the new worker, and a sweep has passed meanwhile.
  void let_a_sweep_pass() {
    TextSocket tunnel = connect();
    add_worker(
        [](TextSocket& worker) {
          worker.read_message();
          worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
          worker.read_to_end();
        },
        3);
    drain(2);
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(2));
    tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    EXPECT_EQ(tunnel.read_message().status(), 101);
    drain(3, dispatch::LossCause::Recycle, 0ms);
    EXPECT_TRUE(tunnel.was_closed());
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(3));
  }
};

TEST_F(FatesTest, AKeepAliveClientGoesToAnotherWorkerWithItsNextRequest) {
  serve(answer_as("old"));
  TextSocket client = connect();
  client.send(request("/"));
  EXPECT_EQ(client.read_message().body, "old");
  add_worker(answer_as("new"), 2);
  drain();
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));  // its connection holds nothing up
  for (int i = 0; i < 3; ++i) {
    client.send(request("/"));
    const Message answer = client.read_message();
    EXPECT_EQ(answer.body, "new");
    EXPECT_EQ(answer["connection"], "");
  }
  EXPECT_EQ(link::load(board().listeners[0].accepted), 1u);
}

TEST_F(FatesTest, AKeepAliveClientWaitsWhereTheReplacementComesLater) {
  serve(answer_as("old"));
  TextSocket client = connect();
  client.send(request("/"));
  EXPECT_EQ(client.read_message().body, "old");
  drain();
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
  tell(link::WorkerGone{id(1)});
  client.send(request("/"));
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  add_worker(answer_as("new"), 2);
  EXPECT_EQ(client.read_message().body, "new");
}

TEST_F(FatesTest, PipelinedRequestsGoToAnotherWorkerFromTheMarkOn) {
  serve([&](TextSocket& worker) {
    while (worker.read_message().complete) {
      seen = true;
      EXPECT_TRUE(eventually([&] { return go.load(); }));
      worker.send(simple_response("old"));
    }
  });
  TextSocket client = connect();
  client.send(request("/1") + request("/2") + request("/3"));
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
  recycle();
  go = true;
  for (const char* answered_by : {"old", "new", "new"}) {
    EXPECT_EQ(client.read_message().body, answered_by);
  }
  expect_drained();
}

TEST_F(FatesTest, ASlowUploadIsFinishedByTheWorkerThatHasIt) {
  for (const bool chunked : {false, true}) {
    SCOPED_TRACE(chunked);
    serve([&](TextSocket& worker) {
      const Message upload = worker.read_message();
      worker.send(simple_response("old " + upload.body));
    });
    TextSocket client = connect();
    client.send(chunked
                    ? "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                    : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
    recycle();
    let_a_sweep_pass();
    client.send(chunked ? "3\r\ndef\r\n0\r\n\r\n" : "def");
    EXPECT_EQ(client.read_message().body, "old abcdef");
    expect_drained();
    tell(link::WorkerGone{id(1)});
    for (const std::uint64_t other : {2U, 3U}) tell(link::WorkerGone{id(other)});
  }
}

TEST_F(FatesTest, ALongDownloadIsFinishedByTheWorkerThatHasIt) {
  const std::string half(3'000'000, 'x');
  serve([this, half](TextSocket& worker) {  // it may outlive this frame by a moment
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n" + half);
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(half);
  });
  TextSocket client = connect();
  client.send(request("/"));
  EXPECT_EQ(client.read_message(true).status(), 200);
  EXPECT_EQ(client.read_exactly(1000).size(), 1000u);
  recycle();
  let_a_sweep_pass();
  go = true;
  EXPECT_EQ(client.read_exactly(5'999'000).size(), 5'999'000u);
  expect_drained();
  client.send(request("/"));
  add_worker(answer_as("newest"), 4);
  EXPECT_EQ(client.read_message().body, "newest");
}

TEST_F(FatesTest, ARequestThatWaitsGoesToTheReplacement) {
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 1; });
  add_worker([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("old"));
  });
  TextSocket served = connect();
  served.send(request("/"));
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  TextSocket waiting = connect();
  waiting.send(request("/"));
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  recycle();
  EXPECT_EQ(waiting.read_message().body, "new");
  go = true;
  EXPECT_EQ(served.read_message().body, "old");
  expect_drained();
}

}  // namespace
}  // namespace poolwarden::testing
