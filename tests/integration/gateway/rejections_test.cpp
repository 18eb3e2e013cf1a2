// Requests that are malformed, and clients that are not patient.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using RejectionsTest = GatewayTest;

TEST_F(RejectionsTest, AnswersMalformedRequestsAndCloses) {
  serve(answer_all);
  const std::pair<std::string, int> cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70000, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(200000, 'x'), 431},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    TextSocket client = connect();
    client.send(bytes);
    const Message answer = client.read_message();
    EXPECT_EQ(answer.status(), status) << bytes.substr(0, 40);
    EXPECT_EQ(answer["x-poolwarden-reason"], status == 431 ? "head_too_large" : "bad_request");
    EXPECT_EQ(answer["connection"], "close");
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(RejectionsTest, EndsARequestWhoseChunksTurnOutBad) {
  serve([](TextSocket& worker) { worker.read_to_end(); });
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  client.send("zzz\r\n");
  const Message answer = client.read_message();
  EXPECT_EQ(answer.status(), 400);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(failures(dispatch::RequestFailure::HeaderInvalid), 1u);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 0u);
}

TEST_F(RejectionsTest, GivesAnAnswerThatTheRestOfARequestCannotReset) {
  add_pool([](link::PoolAdded& pool) { pool.mode = link::PoolMode::Stopped; });
  TextSocket client = connect();
  std::thread sending([&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" +
                std::string(500000, 'x'));
  });
  const Message answer = client.read_message();
  sending.join();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer["connection"], "close");
  EXPECT_TRUE(answer.complete);
}

TEST_F(RejectionsTest, RejectsWithoutAskingForTheBody) {
  add_pool([](link::PoolAdded& pool) { pool.mode = link::PoolMode::Stopped; });
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const Message answer = client.read_message();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(answer["connection"], "close");
}

TEST_F(RejectionsTest, KeepsTheConnectionAfterARefusalWithASmallBody) {
  add_pool([](link::PoolAdded& pool) { pool.mode = link::PoolMode::Stopped; });
  TextSocket client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_EQ(client.read_message()["x-poolwarden-reason"], "stopped");
  }
}

TEST_F(RejectionsTest, ClosesTheConnectionWhereAnotherReplicaMayServe) {
  add_pool([](link::PoolAdded& pool) { pool.mode = link::PoolMode::RapidFail; });
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const Message answer = client.read_message();
  EXPECT_EQ(answer["x-poolwarden-reason"], "rapid_fail");
  EXPECT_EQ(answer["connection"], "close");
  EXPECT_TRUE(client.was_closed());
}

TEST_F(RejectionsTest, ForgetsClientsThatLeaveWhileTheyWait) {
  add_pool();
  {
    TextSocket client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 0; }));
  EXPECT_TRUE(eventually([&] { return failures(dispatch::RequestFailure::ClientAborted) == 1; }));
  EXPECT_EQ(link::load(row().oldest_waiting_since), 0u);
  ScriptedWorker& worker = add_worker(answer_all);
  EXPECT_EQ(get().status(), 200);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().requests) == 1; }));
  EXPECT_EQ(worker.connections(), 1);
}

TEST_F(RejectionsTest, LooksForAClientThatWaitedLongBeforeAWorkerGetsItsRequest) {
  add_pool([](link::PoolAdded& pool) { pool.queue.client_check = 0ms; });
  TextSocket gone = connect();
  gone.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  TextSocket stays = connect();
  stays.send("GET /stays HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 2; }));
  gone.close();
  add_worker(answer_all);
  EXPECT_EQ(stays.read_message().body, "did GET /stays HTTP/1.1");
  EXPECT_TRUE(eventually([&] { return failures(dispatch::RequestFailure::ClientAborted) == 1; }));
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().requests) == 1; }));
}

TEST_F(RejectionsTest, DropsTheWorkersConnectionWhenTheClientLeaves) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    seen = worker.at_end();
  });
  {
    TextSocket client = connect();
    // A second request behind the first is no sign of life of what comes after.
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  EXPECT_EQ(failures(dispatch::RequestFailure::ClientAborted), 1u);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 0u);
}

TEST_F(RejectionsTest, AnswersForAWorkerThatTakesTooLong) {
  add_pool([](link::PoolAdded& pool) { pool.request_timeout = 50ms; });
  add_worker([&](TextSocket& worker) {
    worker.read_message();
    seen = worker.at_end();
  });
  const Message answer = get();
  EXPECT_EQ(answer.status(), 504);
  EXPECT_EQ(answer["x-poolwarden-reason"], "request_timeout");
  EXPECT_TRUE(eventually([&] { return seen.load(); }));
  EXPECT_EQ(failures(dispatch::RequestFailure::ResponseTimeout), 1u);
}

TEST_F(RejectionsTest, ClosesWhenAResponseTakesTooLong) {
  add_pool([](link::PoolAdded& pool) { pool.request_timeout = 50ms; });
  add_worker([&](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    worker.at_end();
  });
  const Message answer = get();
  EXPECT_EQ(answer.body, "abc");
  EXPECT_FALSE(answer.complete);
  EXPECT_TRUE(eventually([&] { return failures(dispatch::RequestFailure::ResponseTimeout) == 1; }));
}

TEST_F(RejectionsTest, RejectsWhatIsNoHttpFromAWorker) {
  const std::vector<std::string> cases = {"hello\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                                          "HTTP/1.1 200 OK\nA: b\n\n",
                                          "HTTP/1.1 101 Switching\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'),
                                          std::string(300000, '\0')};
  add_pool();
  std::uint64_t id = 0;
  for (const std::string& bytes : cases) {
    ++id;
    add_worker(
        [bytes](TextSocket& worker) {
          worker.read_message();
          worker.send(bytes);
          worker.at_end();
        },
        id);
    EXPECT_EQ(get()["x-poolwarden-reason"], "bad_response");
    tell(link::WorkerGone{worker::WorkerId{id}});
  }
  EXPECT_EQ(failures(dispatch::RequestFailure::BadResponse), 6u);
}

}  // namespace
}  // namespace poolwarden::testing
