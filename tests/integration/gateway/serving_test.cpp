// Requests and responses as they should be: framing, connections, fields.

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using ServingTest = GatewayTest;

TEST_F(ServingTest, PassesARequestToAWorkerAndItsAnswerBack) {
  serve(answer_all);
  const Message answer = get("/hello?x=1");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, "did GET /hello?x=1 HTTP/1.1");
  EXPECT_TRUE(eventually([&] { return responses(200) == 1; }));
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  EXPECT_TRUE(eventually([&] { return link::load(worker_row().requests) == 1; }));
  EXPECT_NE(link::load(worker_row().last_response), 0u);
  EXPECT_EQ(link::load(board().listeners[0].accepted), 1u);
}

TEST_F(ServingTest, KeepsConnectionsToClientAndWorker) {
  ScriptedWorker& worker = serve(answer_all);
  TextSocket client = connect();
  for (int i = 0; i < 50; ++i) {
    client.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_EQ(client.read_message().body, "did GET /" + std::to_string(i) + " HTTP/1.1");
  }
  EXPECT_EQ(worker.connections(), 1);
}

TEST_F(ServingTest, AnswersPipelinedRequestsInOrder) {
  serve(answer_all);
  TextSocket client = connect();
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  }
  client.send(requests);
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(client.read_message().body, "did POST /" + std::to_string(i) + " HTTP/1.1");
  }
}

TEST_F(ServingTest, PassesChunkedBodiesBothWays) {
  serve([](TextSocket& worker) {
    const Message request = worker.read_message();
    EXPECT_EQ(request["transfer-encoding"], "chunked");
    EXPECT_FALSE(request.has("trailer"));
    std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const char c : request.body) answer += std::string("1\r\n") + c + "\r\n";
    worker.send(answer + "0\r\nX-Trailer: 1\r\n\r\n");
  });
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n");
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    client.send("3;e=1\r\nabc\r\n");
    expected += "abc";
  }
  client.send("0\r\nX: y\r\n\r\n");
  const Message answer = client.read_message();
  EXPECT_EQ(answer["transfer-encoding"], "chunked");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, expected);
}

TEST_F(ServingTest, StreamsLargeBodiesBothWaysAtTheSameTime) {
  serve([](TextSocket& worker) {
    worker.read_message(true);
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
    for (int i = 0; i < 512; ++i) {
      const std::string block = worker.read_exactly(65536);
      if (block.size() != 65536 || !worker.send(block)) return;
    }
  });
  TextSocket client = connect();
  std::thread sending([&] {
    client.send("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 33554432\r\n\r\n");
    for (int i = 0; i < 512; ++i) client.send(std::string(65536, static_cast<char>('a' + i % 26)));
  });
  const Message answer = client.read_message();
  sending.join();
  ASSERT_EQ(answer.body.size(), 33554432u);
  for (std::size_t i = 0; i < 512; ++i) {
    ASSERT_EQ(answer.body[i * 65536 + 77], static_cast<char>('a' + i % 26));
  }
  EXPECT_TRUE(eventually([&] { return link::load(row().received_bytes) > 33554432; }));
  EXPECT_TRUE(eventually([&] { return link::load(row().sent_bytes) > 33554432; }));
}

TEST_F(ServingTest, StreamsAResponseAsItComes) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    EXPECT_TRUE(eventually([&] { return go.load(); }));
    worker.send("6\r\nsecond\r\n0\r\n\r\n");
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_message(true).status(), 200);
  EXPECT_EQ(client.read_exactly(10), "5\r\nfirst\r\n");
  go = true;
  EXPECT_EQ(client.read_exactly(16), "6\r\nsecond\r\n0\r\n\r\n");
}

TEST_F(ServingTest, TurnsAResponseUntilTheEndIntoChunks) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.0 200 OK\r\n\r\nall of it");
  });
  TextSocket client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    const Message answer = client.read_message();
    EXPECT_EQ(answer["transfer-encoding"], "chunked");
    EXPECT_EQ(answer.body, "all of it");
  }
}

TEST_F(ServingTest, SpeaksHttp10ToHttp10Clients) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.0\r\n\r\n");
  const Message answer = client.read_message();
  EXPECT_FALSE(answer.has("transfer-encoding"));
  EXPECT_EQ(answer["connection"], "close");
  EXPECT_EQ(answer.body, "abc");
  EXPECT_TRUE(answer.complete);
}

TEST_F(ServingTest, KeepsHttp10ConnectionsThatAskForIt) {
  serve(answer_all);
  TextSocket client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.read_message()["connection"], "keep-alive");
  }
}

TEST_F(ServingTest, SendsNoBodyWhereThereIsNone) {
  serve([](TextSocket& worker) {
    for (;;) {
      const Message request = worker.read_message();
      if (!request.complete) return;
      if (request.start_line.starts_with("HEAD")) {
        worker.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
      } else if (request.start_line.starts_with("DELETE")) {
        worker.send("HTTP/1.1 204 No Content\r\n\r\n");
      } else {
        worker.send("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
      }
    }
  });
  TextSocket client = connect();
  client.send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_message(true)["content-length"], "1000");
  client.send("DELETE / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_message().status(), 204);
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_message().status(), 304);
}

TEST_F(ServingTest, AsksForTheBodyOnceAWorkerIsThere) {
  add_pool();
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  add_worker([](TextSocket& worker) {
    const Message request = worker.read_message();
    EXPECT_FALSE(request.has("expect"));
    worker.send("HTTP/1.1 100 Continue\r\n\r\n" + simple_response(request.body));
  });
  EXPECT_EQ(client.read_message().status(), 100);
  client.send("body");
  EXPECT_EQ(client.read_message().body, "body");
}

TEST_F(ServingTest, PassesEarlyHintsOn) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + simple_response("x"));
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  const Message hints = client.read_message();
  EXPECT_EQ(hints.status(), 103);
  EXPECT_EQ(hints["link"], "</a.css>");
  EXPECT_EQ(client.read_message().body, "x");
}

TEST_F(ServingTest, PassesAnAnswerThatComesBeforeTheBodysEnd) {
  serve([](TextSocket& worker) {
    worker.read_message(true);
    worker.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  });
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000\r\n\r\nbegin");
  const Message answer = client.read_message();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer["connection"], "close");
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServingTest, KeepsTheConnectionWhenWhatIsLeftOfTheBodyIsSmall) {
  serve([](TextSocket& worker) {
    if (worker.read_message(true).start_line.empty()) return;
    worker.send(simple_response("early"));
  });
  TextSocket client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\nabc");
    ASSERT_EQ(client.read_message().body, "early");
    client.send("def");
  }
}

TEST_F(ServingTest, AddsWhatWorkersNeedToKnow) {
  serve([](TextSocket& worker) {
    for (;;) {
      const Message request = worker.read_message();
      if (!request.complete) return;
      worker.send(simple_response(request["x-forwarded-for"] + " " + request["x-forwarded-host"] +
                                  " " + request["x-forwarded-proto"] + " " +
                                  request["x-request-id"]));
    }
  });
  const Message answer = get();
  EXPECT_EQ(answer["x-request-id"].size(), 32u);
  EXPECT_EQ(answer.body, "127.0.0.1 test http " + answer["x-request-id"]);
  EXPECT_NE(get()["x-request-id"], answer["x-request-id"]);
  EXPECT_EQ(get("/", "X-Request-Id: mine\r\n")["x-request-id"], "mine");
}

TEST_F(ServingTest, ReachesWorkersOverTcp) {
  add_pool();
  add_worker(answer_all, 1, ScriptedWorker::At::Tcp);
  EXPECT_EQ(get().status(), 200);
}

TEST_F(ServingTest, SpreadsRequestsOverWorkers) {
  add_pool();
  ScriptedWorker& first = add_worker(answer_all, 1);
  ScriptedWorker& second = add_worker(answer_all, 2);
  for (int i = 0; i < 10; ++i) get();
  EXPECT_EQ(first.connections(), 1);
  EXPECT_EQ(second.connections(), 1);
  EXPECT_TRUE(eventually([&] { return link::load(worker_row(2).requests) == 5; }));
}

TEST_F(ServingTest, ChoosesThePoolByHostAndPath) {
  add_pool([](link::PoolAdded& pool) { pool.routes = {{"test", "/api"}}; });
  add_worker(answer_all);
  EXPECT_EQ(get("/api/x").status(), 200);
  const Message stranger = get("/apix");
  EXPECT_EQ(stranger.status(), 404);
  EXPECT_EQ(stranger["x-poolwarden-reason"], "no_route");
  EXPECT_TRUE(eventually([&] { return link::load(unrouted().responses[404 - 100]) == 1; }));
}

}  // namespace
}  // namespace poolwarden::testing
