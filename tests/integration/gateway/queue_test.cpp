// The queue seen from outside: who waits, who is refused and with what words.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using QueueTest = GatewayTest;

void ask(TextSocket& client, const std::string& path = "/") {
  client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(QueueTest, HoldsRequestsUntilAWorkerIsReady) {
  add_pool();
  std::vector<TextSocket> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    ask(clients.back());
  }
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 20; }));
  EXPECT_NE(link::load(row().oldest_waiting_since), 0u);
  add_worker(answer_all);
  for (TextSocket& client : clients) EXPECT_EQ(client.read_message().status(), 200);
  EXPECT_EQ(link::load(row().queue_length), 0u);
  EXPECT_EQ(link::load(row().oldest_waiting_since), 0u);
  EXPECT_EQ(link::load(row().queue_enqueued), 20u);
}

TEST_F(QueueTest, RespectsTheConcurrencyOfAWorker) {
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 2; });
  std::atomic<int> now = 0, too_many = 0, total = 0;
  add_worker([&](TextSocket& worker) {
    while (worker.read_message().complete) {
      if (++now > 2) ++too_many;
      EXPECT_TRUE(eventually([&] { return go.load(); }));
      --now;
      ++total;
      worker.send(simple_response("x"));
    }
  });
  std::vector<TextSocket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(connect());
    ask(clients.back());
  }
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 8; }));
  EXPECT_EQ(link::load(worker_row().in_flight), 2u);
  go = true;
  for (TextSocket& client : clients) EXPECT_EQ(client.read_message().status(), 200);
  EXPECT_EQ(too_many, 0);
  EXPECT_EQ(total, 10);
  end_all();
}

TEST_F(QueueTest, RefusesWhenItIsFull) {
  add_pool([](link::PoolAdded& pool) { pool.queue.limit = 1; });
  TextSocket first = connect();
  ask(first);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  const Message answer = get();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer["x-poolwarden-reason"], "queue_full");
  EXPECT_EQ(answer["cache-control"], "no-store");
  EXPECT_EQ(rejected(dispatch::Rejection::Full), 1u);
}

TEST_F(QueueTest, RefusesWhoHasWaitedTooLong) {
  add_pool([](link::PoolAdded& pool) { pool.queue.timeout = 20ms; });
  const Message answer = get();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer["x-poolwarden-reason"], "queue_timeout");
  EXPECT_EQ(rejected(dispatch::Rejection::Timeout), 1u);
  EXPECT_EQ(link::load(row().queue_length), 0u);
}

TEST_F(QueueTest, CountsRequestsWhoseWorkerCouldNeverBeReached) {
  add_pool([](link::PoolAdded& pool) { pool.queue.timeout = 100ms; });
  tell(link::WorkerReady{"web", worker::WorkerId{1}, 1,
                         worker::UnixEndpoint{"/nowhere/to/be/found"}});
  EXPECT_EQ(get()["x-poolwarden-reason"], "queue_timeout");
  EXPECT_TRUE(eventually([&] { return failures(dispatch::RequestFailure::ConnectFailed) == 1; }));
}

TEST_F(QueueTest, LetsFewWaitWhileRestarting) {
  add_pool([](link::PoolAdded& pool) {
    pool.queue.restart_limit = 1;
    pool.mode = link::PoolMode::Restarting;
  });
  TextSocket first = connect();
  ask(first);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  EXPECT_EQ(get()["x-poolwarden-reason"], "restarting");
  add_worker(answer_all);
  set_mode(link::PoolMode::Open);
  EXPECT_EQ(first.read_message().status(), 200);
}

TEST_F(QueueTest, RefusesForAPoolThatIsClosedAlsoThoseWhoWait) {
  add_pool();
  TextSocket waiting = connect();
  ask(waiting);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  set_mode(link::PoolMode::RapidFail, 17);
  for (const Message& answer : {waiting.read_message(), get()}) {
    EXPECT_EQ(answer.status(), 503);
    EXPECT_EQ(answer["x-poolwarden-reason"], "rapid_fail");
    EXPECT_EQ(answer["retry-after"], "17");
  }
  EXPECT_EQ(rejected(dispatch::Rejection::PoolDisabled), 2u);
  set_mode(link::PoolMode::Stopped);
  EXPECT_TRUE(eventually([&] { return get()["x-poolwarden-reason"] == "stopped"; }));
  set_mode(link::PoolMode::StartFailure);
  EXPECT_TRUE(eventually([&] { return get()["x-poolwarden-reason"] == "start_failure"; }));
  set_mode(link::PoolMode::Open);
  add_worker(answer_all);
  EXPECT_TRUE(eventually([&] { return get().status() == 200; }));
}

TEST_F(QueueTest, ResetsConnectionsWhereThatIsAskedFor) {
  add_pool([](link::PoolAdded& pool) {
    pool.mode = link::PoolMode::RapidFail;
    pool.when_open = pool::WhenOpen::Reset;
  });
  TextSocket client = connect();
  ask(client);
  EXPECT_TRUE(client.was_reset());
  EXPECT_TRUE(eventually([&] { return rejected(dispatch::Rejection::PoolDisabled) == 1; }));
}

TEST_F(QueueTest, AsksAgainForAWorkerWhenTheLastOneGoes) {
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 1; });
  add_worker([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket first = connect();
  ask(first);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  TextSocket second = connect();
  ask(second);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  EXPECT_FALSE(has_message());
  tell(link::WorkerGone{worker::WorkerId{1}});
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  EXPECT_EQ(expect<link::Demand>().pool, "web");  // and again, while it waits
}

}  // namespace
}  // namespace poolwarden::testing
