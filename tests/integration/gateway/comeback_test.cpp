// Workers that leave and come back, and workers that are given up while they hold requests.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using ComebackTest = GatewayTest;
using AbandonTest = GatewayTest;
using RequestTimeoutTest = GatewayTest;
using LastResponseTest = GatewayTest;

worker::WorkerId id(std::uint64_t number) { return worker::WorkerId{number}; }

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

link::WorkerReady ready(const ScriptedWorker& worker) {
  return {"web", id(1), 1, worker.endpoint(), false};
}

TEST_F(ComebackTest, ServesAgainAndCountsOn) {
  ScriptedWorker& worker = serve(answer_all);
  EXPECT_EQ(get().status(), 200);
  for (std::uint64_t round = 1; round < 4; ++round) {
    drain();
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
    tell(link::WorkerGone{id(1)});
    TextSocket client = connect();
    client.send(kGet);
    EXPECT_EQ(expect<link::Demand>().pool, "web");
    EXPECT_EQ(link::load(worker_row().requests), round);
    EXPECT_NE(link::load(worker_row().last_response), 0u);
    tell(ready(worker));
    EXPECT_EQ(client.read_message().status(), 200);
    EXPECT_TRUE(eventually([&] { return link::load(worker_row().requests) == round + 1; }));
  }
}

TEST_F(ComebackTest, ServesAgainAlsoWhileItStillHasARequest) {
  ScriptedWorker& worker = serve([&](TextSocket& socket) {
    const bool is_slow = socket.read_message().start_line.starts_with("GET /slow");
    EXPECT_TRUE(eventually([&] { return !is_slow || go; }));
    socket.send(simple_response("x"));
  });
  TextSocket slow = connect();
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  drain();
  tell(link::WorkerGone{id(1)});
  tell(ready(worker));
  EXPECT_EQ(get().status(), 200);
  drain();
  drain(99);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(99));
  go = true;
  EXPECT_EQ(slow.read_message().status(), 200);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
}

TEST_F(AbandonTest, SendsAgainWhatDoesNoHarmAndAnswersTheRest) {
  serve([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket getting = connect();
  TextSocket posting = connect();
  getting.send(kGet);
  posting.send(kPost);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 2; }));
  add_worker(answer_all, 2);
  tell(link::AbandonWorker{id(1)});
  EXPECT_EQ(getting.read_message().status(), 200);
  const Message refused = posting.read_message();
  EXPECT_EQ(refused.status(), 502);
  EXPECT_EQ(refused["x-poolwarden-reason"], "worker_died");
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 1u);
  EXPECT_EQ(link::load(row().retries), 1u);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row(1).in_flight) == 0; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get().status(), 200);  // none of them goes to it
}

TEST_F(AbandonTest, KeepsWhatCanBeSentAgainUntilThereIsAnotherWorker) {
  serve([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket client = connect();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  tell(link::AbandonWorker{id(1)});
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  add_worker(answer_all, 2);
  EXPECT_EQ(client.read_message().status(), 200);
}

TEST_F(AbandonTest, IsAWorkersEndWhateverItWasMarkedForBefore) {
  serve([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket client = connect();
  client.send(kPost);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  drain();
  tell(link::AbandonWorker{id(1)});
  EXPECT_EQ(client.read_message().status(), 502);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 1u);
  EXPECT_EQ(lost(dispatch::LossCause::Recycle), 0u);
}

TEST_F(AbandonTest, CutsUploadsResponsesAndTunnels) {
  serve([&](TextSocket& worker) {
    const Message request = worker.read_message(true);
    if (request.has("upgrade")) {
      worker.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
    } else if (!request.has("content-length")) {
      worker.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    }
    worker.read_to_end();
    EXPECT_TRUE(eventually([&] { return go.load(); }));  // it closes nothing by itself
  });
  TextSocket uploading = connect();
  uploading.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  TextSocket downloading = connect();
  downloading.send(kGet);
  EXPECT_EQ(downloading.read_message(true).status(), 200);
  TextSocket tunnel = connect();
  tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  EXPECT_EQ(tunnel.read_message().status(), 101);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 3; }));
  tell(link::AbandonWorker{id(1)});
  EXPECT_EQ(uploading.read_message()["x-poolwarden-reason"], "worker_died");
  EXPECT_EQ(downloading.read_exactly(3), "abc");
  EXPECT_TRUE(downloading.was_closed());
  EXPECT_TRUE(tunnel.was_closed());
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 2u);  // a tunnel is not lost
}

TEST_F(AbandonTest, OfAStrangerDoesNoHarm) {
  serve(answer_all);
  tell(link::AbandonWorker{id(7)});
  tell(link::AbandonWorker{id(1)});
  tell(link::AbandonWorker{id(1)});
  tell(link::WorkerGone{id(1)});
  drain(1);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
}

TEST_F(RequestTimeoutTest, ClosesTheWorkersConnectionAndTellsOnceOfEachWorker) {
  add_pool([](link::PoolAdded& pool) { pool.request_timeout = 1ms; });
  const auto hang = [&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(worker.at_end());
    ++count;
  };
  ScriptedWorker& first = add_worker(hang, 1);
  const TimePoint begun = Clock::now();
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(get().status(), 504);
    EXPECT_TRUE(eventually([&] { return count == i; }));
  }
  EXPECT_EQ(expect<link::RequestTimedOut>().id, id(1));
  // What it has to tell is sent before the answer. After a second, which two sweeps take on a busy
  // machine only, it is told again.
  const bool is_told_again = Clock::now() - begun >= 1s && has_message();
  if (is_told_again) {
    EXPECT_EQ(expect<link::RequestTimedOut>().id, id(1));
  }
  EXPECT_FALSE(has_message());
  drain();
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));

  tell(link::WorkerGone{id(1)});
  tell(ready(first));
  EXPECT_EQ(get().status(), 504);
  EXPECT_EQ(expect<link::RequestTimedOut>().id, id(1));
}

TEST_F(RequestTimeoutTest, TellsOfAResponseThatDoesNotEnd) {
  add_pool([](link::PoolAdded& pool) { pool.request_timeout = 1ms; });
  add_worker([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    worker.read_to_end();
  });
  EXPECT_FALSE(get().complete);
  EXPECT_EQ(expect<link::RequestTimedOut>().id, id(1));
}

TEST_F(LastResponseTest, IsWhenAnyByteCame) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    seen = true;
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    while (worker.send(count++ == 0 ? "HTTP/1.1 200 OK\r\nX-Slow: " : "x")) {
      std::this_thread::sleep_for(1ms);
    }
  });
  TextSocket client = connect();
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
  EXPECT_EQ(link::load(worker_row().last_response), 0u);
  go = true;
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().last_response) != 0; }));
  const std::uint64_t first = link::load(worker_row().last_response);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().last_response) > first; }));
  end_all();
}

}  // namespace
}  // namespace poolwarden::testing
