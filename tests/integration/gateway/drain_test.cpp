// Taking workers and the gateway out of service: no request is lost by it.

#include <atomic>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

class DrainTest : public GatewayTest {
 protected:
  bool is_refused() {
    try {
      connect();
    } catch (const std::exception&) {
      return true;
    }
    return false;
  }
};
using dispatch::LossCause;

worker::WorkerId id(std::uint64_t number) { return worker::WorkerId{number}; }

TEST_F(DrainTest, TellsAtOnceThatAnIdleWorkerIsDrained) {
  serve(answer_all);
  get();
  drain(1);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
}

TEST_F(DrainTest, AnswersForWorkersThatItDoesNotKnow) {
  drain(77);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(77));
}

TEST_F(DrainTest, ClosesKeptConnectionsBeforeItTells) {
  serve([&](TextSocket& worker) {
    answer_all(worker);
    seen = true;
  });
  get();
  drain(1);
  expect<link::WorkerDrained>();
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
}

TEST_F(DrainTest, WaitsForWhatIsInFlightAndTellsOnce) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("done"));
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  drain(1);
  drain(1);
  drain(99);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(99));  // so the first two have been read
  go = true;
  EXPECT_EQ(client.read_message().body, "done");
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(1));
  drain(98);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(98));
}

TEST_F(DrainTest, TellsOfAWorkerThatBreaksOffARequestBeforeThatItIsDrained) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
  });
  TextSocket first = connect(), second = connect();
  for (TextSocket* client : {&first, &second})
    client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 2; }));
  drain(1);
  drain(99);
  EXPECT_EQ(expect<link::WorkerDrained>().id, id(99));  // so the first one has been read
  go = true;
  EXPECT_EQ(first.read_message().status(), 502);
  EXPECT_EQ(second.read_message().status(), 502);
  EXPECT_EQ(expect<link::DrainBroken>().id, id(1));
  EXPECT_EQ(expect_next<link::WorkerDrained>().id, id(1));  // told once
}

TEST_F(DrainTest, LosesNothingWhileWorkersAreReplacedUnderLoad) {
  struct Life {
    std::atomic<bool> drained = false;
  };
  std::vector<std::unique_ptr<Life>> lives;
  std::atomic<int> after_mark = 0;
  const auto script = [&](Life& life) {
    return [&](TextSocket& worker) {
      for (;;) {
        const Message request = worker.read_message();
        if (!request.complete) return;
        if (life.drained) ++after_mark;
        if (!worker.send(simple_response(request.body))) return;
      }
    };
  };
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 4; });
  lives.push_back(std::make_unique<Life>());
  std::vector<ScriptedWorker*> workers{&add_worker(script(*lives.back()), 1)};

  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0, wrong = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      TextSocket client = connect();
      for (int n = 0; !stop; ++n) {
        const std::string body = std::to_string(i) + ":" + std::to_string(n);
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
        const Message answer = client.read_message();
        ++(answer.status() == 200 && answer.body == body ? answered : wrong);
        if (answer.status() != 200) return;
      }
    });
  }
  for (std::uint64_t generation = 2; generation < 40; ++generation) {
    const int before = answered;
    EXPECT_TRUE(eventually([&] { return answered > before + 20 || wrong > 0; }));
    lives.push_back(std::make_unique<Life>());
    workers.push_back(&add_worker(script(*lives.back()), generation));
    drain(generation - 1);
    ASSERT_EQ(expect<link::WorkerDrained>().id, id(generation - 1));
    lives[generation - 2]->drained = true;
    workers[generation - 2]->die();
    tell(link::WorkerGone{id(generation - 1)});
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(after_mark, 0);
  EXPECT_GT(answered, 700);
  for (const LossCause cause : {LossCause::Recycle, LossCause::WorkerDied}) {
    EXPECT_EQ(lost(cause), 0u);
  }
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  end_all();
}

TEST_F(DrainTest, CountsEachWorkerThatComesToARowFromZero) {
  serve(answer_all);
  get();
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().requests) == 1; }));
  tell(link::WorkerGone{id(1)});
  ScriptedWorker other(answer_all);
  tell(link::WorkerReady{"web", id(5), 1, other.endpoint()});
  EXPECT_EQ(get().status(), 200);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().in_flight) == 0; }));
  EXPECT_EQ(link::load(worker_row().requests), 1u);
}

TEST_F(DrainTest, FinishesWhatIsHereWhenItIsToQuiesce) {
  serve([&](TextSocket& worker) {
    for (;;) {
      const Message request = worker.read_message();
      if (!request.complete) return;
      if (request.start_line.starts_with("GET /slow")) {
        EXPECT_TRUE(eventually([&] { return go.load(); }));
      }
      worker.send(simple_response("x"));
    }
  });
  TextSocket idle = connect();
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(idle.read_message().status(), 200);
  TextSocket slow = connect();
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  TextSocket half = connect();
  half.send("GET / HTTP/1.1\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(board().listeners[0].open) == 3; }));

  tell(link::Quiesce{});
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(eventually([&] { return link::load(board().listeners[0].open) == 2; }));
  half.send("Host: a\r\n\r\n");
  const Message answer = half.read_message();
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer["connection"], "close");
  go = true;
  EXPECT_EQ(slow.read_message().status(), 200);
  expect<link::Quiesced>();
  end_link();
  EXPECT_EQ(exit_code, 0);
}

TEST_F(DrainTest, RefusesNewConnectionsWhenItIsToQuiesce) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("x"));
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));

  tell(link::Quiesce{});
  EXPECT_TRUE(eventually([&] { return is_refused(); }));

  go = true;
  EXPECT_EQ(client.read_message().status(), 200);
  expect<link::Quiesced>();
}

// It may be on its way when the gateway is told.
TEST_F(DrainTest, AnswersOneMoreRequestOfAKeptConnectionWhenItIsToQuiesce) {
  serve(answer_all);
  TextSocket client = connect();
  const std::string one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(one);
  EXPECT_EQ(client.read_message().status(), 200);

  tell(link::Quiesce{});
  add_worker(answer_all, 2);
  drain(2);
  expect<link::WorkerDrained>();  // and what it was told before is done as well
  client.send(one);

  const Message answer = client.read_message();
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer["connection"], "close");
  EXPECT_TRUE(client.was_closed());
  expect<link::Quiesced>();
}

TEST_F(DrainTest, ServesOnAfterTheLastCallAndClosesAfterEachAnswer) {
  serve(answer_all);
  TextSocket kept = connect();
  const std::string one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  kept.send(one);
  EXPECT_EQ(kept.read_message()["connection"], "");

  tell(link::LastCall{});
  EXPECT_TRUE(eventually([&] {
    TextSocket fresh = connect();
    fresh.send(one);
    return fresh.read_message()["connection"] == "close" && fresh.was_closed();
  }));

  kept.send(one);
  const Message last = kept.read_message();
  EXPECT_EQ(last.status(), 200);
  EXPECT_EQ(last["connection"], "close");
  EXPECT_TRUE(kept.was_closed());
  tell(link::Quiesce{});
  expect<link::Quiesced>();
}

TEST_F(DrainTest, AnswersAllThatIsPipelinedWhenItIsToQuiesce) {
  serve([&](TextSocket& worker) {
    while (worker.read_message().complete) {
      seen = true;
      EXPECT_TRUE(eventually([&] { return go.load(); }));
      worker.send(simple_response("x"));
    }
  });
  TextSocket client = connect();
  const std::string one = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(one + one + one);
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
  tell(link::Quiesce{});
  drain(99);
  expect<link::WorkerDrained>();
  go = true;
  for (const char* connection : {"", "", "close"}) {
    const Message answer = client.read_message();
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer["connection"], connection);
  }
  EXPECT_TRUE(client.was_closed());
  expect<link::Quiesced>();
}

TEST_F(DrainTest, IsQuiescedAtOnceWithoutConnections) {
  add_pool();
  tell(link::Quiesce{});
  expect<link::Quiesced>();
}

TEST_F(DrainTest, RefusesThoseWhoWaitWhenTheLastWorkerEndsWithEverything) {
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 1; });
  add_worker([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send(simple_response("x"));
  });
  TextSocket served = connect();
  served.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  TextSocket waiting = connect();
  waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  tell(link::Quiesce{});
  drain(1, LossCause::Shutdown);
  EXPECT_EQ(waiting.read_message()["x-poolwarden-reason"], "shutting_down");
  go = true;
  EXPECT_EQ(served.read_message().status(), 200);
  expect<link::Quiesced>();
}

TEST_F(DrainTest, EndsWithTheLinkWhateverIsGoingOn) {
  add_pool([](link::PoolAdded& pool) { pool.concurrency = 1; });
  add_worker([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket working = connect();
  working.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  TextSocket waiting = connect();
  waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  TextSocket idle = connect();
  TextSocket uploading = connect();
  uploading.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 2; }));
  end_link();
  EXPECT_EQ(exit_code, 0);
  EXPECT_TRUE(working.at_end());
  EXPECT_TRUE(waiting.at_end());
}

TEST_F(DrainTest, SaysSoWhenItIsToldNonsense) {
  tell(link::WorkerReady{"nobody", id(1), 1, worker::UnixEndpoint{"/x"}});
  EXPECT_THROW(expect<link::Quiesced>(), std::runtime_error);
  end_link();
  EXPECT_EQ(exit_code, 1);
}

}  // namespace
}  // namespace poolwarden::testing
