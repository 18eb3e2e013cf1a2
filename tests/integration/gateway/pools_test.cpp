// Pools that come, change, go and come again while requests are under way.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

worker::WorkerId id(std::uint64_t number) { return worker::WorkerId{number}; }

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

ScriptedWorker::Script answer_as(const std::string& name) {
  return [name](TextSocket& worker) {
    while (worker.read_message().complete) {
      if (!worker.send(simple_response(name))) return;
    }
  };
}

class PoolsTest : public GatewayTest {
 protected:
  using GatewayTest::GatewayTest;
  ~PoolsTest() override { end_all(); }

  void announce(const std::string& name, std::uint32_t slot = 0, const std::string& path = "/") {
    link::PoolAdded pool;
    pool.pool = name;
    pool.board_slot = slot;
    pool.routes = {pool::Route{"*", path}};
    tell(pool);
  }
  ScriptedWorker& add_worker_to(const std::string& pool, std::uint64_t number,
                                ScriptedWorker::Script script) {
    others_.push_back(std::make_unique<ScriptedWorker>(std::move(script)));
    tell(link::WorkerReady{pool, id(number), static_cast<std::uint32_t>(number),
                           others_.back()->endpoint()});
    return *others_.back();
  }
  // The gateway has read all that it was told.
  void settle() {
    drain(99);
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(99));
  }
  TextSocket ask(const std::string& request = kGet) {
    TextSocket client = connect();
    client.send(request);
    return client;
  }

 private:
  std::vector<std::unique_ptr<ScriptedWorker>> others_;
};

class LaterRoutesTest : public PoolsTest {
 protected:
  LaterRoutesTest() : PoolsTest(Routes::Later) {}
};

TEST_F(LaterRoutesTest, LetsClientsWaitUntilTheRoutesAreKnown) {
  TextSocket early = ask();
  announce("web");
  add_worker(answer_all);
  settle();
  EXPECT_EQ(link::load(board().listeners[0].accepted), 0u);
  tell(link::RoutesChanged{});
  expect<link::Hello>();
  EXPECT_EQ(early.read_message().status(), 200);
  EXPECT_EQ(get().status(), 200);
}

TEST_F(LaterRoutesTest, IsQuiescedAlsoBeforeThem) {
  announce("web");
  tell(link::Quiesce{});
  expect<link::Quiesced>();
  tell(link::RoutesChanged{});
  settle();
}

TEST_F(PoolsTest, ChangesAllRoutesAtOnce) {
  announce("old");
  add_worker_to("old", 1, answer_as("old"));
  tell(link::RoutesChanged{});
  settle();
  announce("new", 1);
  add_worker_to("new", 2, answer_as("new"));
  tell(link::PoolRemoved{"old"});
  settle();
  EXPECT_EQ(get().body, "old");  // not yet
  tell(link::RoutesChanged{});
  settle();
  EXPECT_EQ(get().body, "new");
}

TEST_F(PoolsTest, FailsNoRequestWhileRoutesMoveFromPoolToPool) {
  announce("pool 1");
  add_worker_to("pool 1", 1, answer_as("x"));
  tell(link::RoutesChanged{});
  settle();
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0, wrong = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      TextSocket client = connect();
      while (!stop && wrong == 0) {
        client.send(kGet);
        ++(client.read_message().status() == 200 ? answered : wrong);
      }
    });
  }
  for (std::uint64_t round = 2; round < 30; ++round) {
    const int before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 20 || wrong > 0; }));
    tell(link::PoolRemoved{"pool " + std::to_string(round - 1)});
    settle();
    announce("pool " + std::to_string(round), static_cast<std::uint32_t>(round));
    settle();
    tell(link::RoutesChanged{});
    drain(round - 1, dispatch::LossCause::Reload);
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(round - 1));
    tell(link::WorkerGone{id(round - 1)});
    add_worker_to("pool " + std::to_string(round), round, answer_as("x"));
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(link::load(unrouted().responses[404 - link::kFirstStatus]), 0u);
  EXPECT_EQ(lost(dispatch::LossCause::Reload), 0u);
}

TEST_F(PoolsTest, RefusesThoseWhoWaitForAPoolThatIsRemoved) {
  add_pool();
  TextSocket waiting = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  tell(link::PoolRemoved{"web"});
  tell(link::RoutesChanged{});
  EXPECT_EQ(waiting.read_message()["x-poolwarden-reason"], "stopped");
  EXPECT_EQ(rejected(dispatch::Rejection::PoolStopped), 1u);
  EXPECT_EQ(get()["x-poolwarden-reason"], "no_route");
  EXPECT_EQ(link::load(row().queue_length), 0u);
}

TEST_F(PoolsTest, HandsThoseWhoWaitToThePoolThatHasTheirRouteNow) {
  add_pool();
  const std::string upload =
      "POST /there?q HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 3\r\n\r\nabc";
  TextSocket waiting = ask(upload);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  announce("other", 1, "/there");
  add_worker_to("other", 1, [](TextSocket& worker) {
    const Message request = worker.read_message();
    worker.send(simple_response(request.start_line + " " + request["host"] + " " + request.body));
  });
  tell(link::PoolRemoved{"web"});
  tell(link::RoutesChanged{});
  EXPECT_EQ(waiting.read_message().body, "POST /there?q HTTP/1.1 a.b:80 abc");
  EXPECT_EQ(rejected(dispatch::Rejection::PoolStopped), 0u);
}

TEST_F(PoolsTest, HandsThoseWhoWaitToTheOtherPoolAlsoWhenTheFirstIsStoppedFirst) {
  add_pool();
  TextSocket waiting = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  announce("other", 1);
  add_worker_to("other", 1, answer_as("other"));
  add_pool([](link::PoolAdded& pool) { pool.routes.clear(); });
  settle();
  EXPECT_EQ(get().body, "other");
  EXPECT_EQ(link::load(row().queue_length), 1u);  // its pool may still have workers for it
  set_mode(link::PoolMode::Stopped);
  EXPECT_EQ(waiting.read_message().body, "other");
}

TEST_F(PoolsTest, FinishesWhatARemovedPoolHasInFlight) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("done"));
  });
  TextSocket client = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  tell(link::PoolRemoved{"web"});
  tell(link::RoutesChanged{});
  drain(1, dispatch::LossCause::Reload);
  settle();
  EXPECT_EQ(get().status(), 404);
  go = true;
  EXPECT_EQ(client.read_message().body, "done");
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
  tell(link::WorkerGone{id(1)});
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
}

TEST_F(PoolsTest, SendsARequestOfARemovedPoolAgainToTheOneThatHasItsRoute) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
  });
  TextSocket client = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  announce("other", 1);
  tell(link::PoolRemoved{"web"});
  tell(link::RoutesChanged{});
  add_worker_to("other", 2, answer_as("other"));
  settle();
  go = true;
  EXPECT_EQ(client.read_message().body, "other");
}

TEST_F(PoolsTest, TakesAPoolAgainThatWasRemoved) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("old"));
  });
  TextSocket old = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  tell(link::PoolRemoved{"web"});
  add_pool([](link::PoolAdded& pool) { pool.queue.limit = 1; });  // in the same batch
  add_worker(answer_as("new"), 2);
  EXPECT_EQ(get().body, "new");
  drain(1, dispatch::LossCause::Reload);
  go = true;
  EXPECT_EQ(old.read_message().body, "old");
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
  tell(link::WorkerGone{id(1)});
  for (std::uint64_t round = 0; round < 3; ++round) {
    tell(link::PoolRemoved{"web"});
    tell(link::RoutesChanged{});
    settle();
    EXPECT_EQ(get().status(), 404);
    drain(round + 2, dispatch::LossCause::Reload);
    EXPECT_EQ(expect<link::WorkerDrained>().id, id(round + 2));
    tell(link::WorkerGone{id(round + 2)});
    add_pool();
    add_worker(answer_as("again"), round + 3);
    EXPECT_EQ(get().body, "again");
  }
  EXPECT_TRUE(eventually([&] { return responses(200) == 5; }));  // all of one name, in one row
}

TEST_F(PoolsTest, CountsFromZeroForEachPoolThatComesToARow) {
  serve(answer_all);
  EXPECT_EQ(get().status(), 200);
  EXPECT_TRUE(eventually([&] { return responses(200) == 1; }));
  tell(link::PoolRemoved{"web"});
  announce("other");
  settle();
  EXPECT_EQ(responses(200), 0u);
}

TEST_F(PoolsTest, IgnoresWhatIsSaidOfAPoolAfterItWasRemoved) {
  add_pool();
  tell(link::PoolRemoved{"web"});
  tell(link::PoolRemoved{"web"});
  tell(link::PoolRemoved{"nobody"});
  set_mode(link::PoolMode::Open);
  add_worker(answer_all);
  drain();
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
  tell(link::RoutesChanged{});
  EXPECT_EQ(get().status(), 404);
}

TEST_F(PoolsTest, AppliesNewSettingsToThoseWhoWaitAndToWorkersThatAreHere) {
  const auto change = [&](std::uint32_t concurrency) {
    add_pool([&](link::PoolAdded& pool) { pool.concurrency = concurrency; });
  };
  change(1);
  add_worker([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("x"));
  });
  std::vector<TextSocket> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(ask());
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 5; }));
  change(4);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 2; }));
  EXPECT_EQ(link::load(worker_row().in_flight), 4u);

  change(32);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().in_flight) == 6; }));
  go = true;
  for (TextSocket& client : clients) EXPECT_EQ(client.read_message().status(), 200);
}

TEST_F(PoolsTest, AppliesNewLimitsOfTheQueueAtOnce) {
  add_pool();
  TextSocket waiting = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  add_pool([](link::PoolAdded& pool) { pool.queue.limit = 1; });
  EXPECT_EQ(get()["x-poolwarden-reason"], "queue_full");
  add_pool([](link::PoolAdded& pool) { pool.queue.timeout = 1ms; });
  EXPECT_EQ(waiting.read_message()["x-poolwarden-reason"], "queue_timeout");
}

TEST_F(PoolsTest, KeepsItsModeWhenItsSettingsChange) {
  add_pool();
  set_mode(link::PoolMode::RapidFail, 17);
  add_pool();  // says Open, as of a pool that is new
  const Message answer = get();
  EXPECT_EQ(answer["x-poolwarden-reason"], "rapid_fail");
  EXPECT_EQ(answer["retry-after"], "17");
  add_pool([](link::PoolAdded& pool) { pool.when_open = pool::WhenOpen::Reset; });
  EXPECT_TRUE(ask().was_reset());
}

TEST_F(PoolsTest, AppliesANewTimeLimitToRequestsThatFollow) {
  serve([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket patient = ask();
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  add_pool([](link::PoolAdded& pool) { pool.request_timeout = 1ms; });
  EXPECT_EQ(get().status(), 504);
  EXPECT_EQ(link::load(row().in_flight), 1u);
}

}  // namespace
}  // namespace poolwarden::testing
