// Workers that end at the wrong moment: who gets an answer all the same, and who must not.

#include <sys/socket.h>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using ReplayTest = GatewayTest;

// The first connection plays `first`, all others answer.
ScriptedWorker::Script only_first(std::atomic<int>& count, ScriptedWorker::Script first) {
  return [&count, first = std::move(first)](TextSocket& worker) {
    if (count++ == 0) return first(worker);
    answer_all(worker);
  };
}

void read_and_close(TextSocket& worker) { worker.read_message(); }

const std::string kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

TEST_F(ReplayTest, SendsAGetAgainOnceWhenItsWorkerCloses) {
  serve(only_first(count, read_and_close));
  EXPECT_EQ(get().status(), 200);
  EXPECT_EQ(count, 2);
  EXPECT_EQ(link::load(row().retries), 1u);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 0u);
}

TEST_F(ReplayTest, DoesNotSendAGetAThirdTime) {
  ScriptedWorker& worker = serve(read_and_close);
  const Message answer = get();
  EXPECT_EQ(answer.status(), 502);
  EXPECT_EQ(answer["x-poolwarden-reason"], "worker_died");
  EXPECT_EQ(worker.connections(), 2);
  EXPECT_TRUE(eventually([&] { return responses(502) == 1; }));
  EXPECT_EQ(failures(dispatch::RequestFailure::WorkerDied), 1u);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 1u);
}

TEST_F(ReplayTest, DoesNotSendAPostAgainThatMayHaveRun) {
  ScriptedWorker& worker = serve(read_and_close);
  TextSocket client = connect();
  client.send(kPost);
  EXPECT_EQ(client.read_message().status(), 502);
  EXPECT_EQ(worker.connections(), 1);
}

TEST_F(ReplayTest, SendsAPutWithItsBodyAgain) {
  serve([&](TextSocket& worker) {
    const Message request = worker.read_message();
    if (count++ != 0) worker.send(simple_response(request.body));
  });
  TextSocket client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("3\r\ndef\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_message().body, "abcdef");
  EXPECT_EQ(count, 2);
}

TEST_F(ReplayTest, SendsTheRestOfABodyAfterWhatItHasKept) {
  serve([&](TextSocket& worker) {
    if (count++ == 0) {
      worker.read_message(true);
      worker.read_exactly(3);
      return;
    }
    worker.send(simple_response(worker.read_message().body));
  });
  TextSocket client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  EXPECT_TRUE(eventually([&] { return count == 2; }));
  client.send("def");
  EXPECT_EQ(client.read_message().body, "abcdef");
}

TEST_F(ReplayTest, DoesNotKeepLargeBodies) {
  ScriptedWorker& worker = serve(read_and_close);
  TextSocket client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" +
              std::string(100000, 'x'));
  EXPECT_EQ(client.read_message().status(), 502);
  EXPECT_EQ(worker.connections(), 1);
}

TEST_F(ReplayTest, SendsAPostAgainThatWasNotRead) {
  // Closed with the request unread: a Unix socket says so with ECONNRESET, for which a body leaves
  // room for doubt; so this one has none.
  serve(only_first(count, [](TextSocket& worker) {
    char byte;
    ::recv(worker.fd(), &byte, 1, MSG_PEEK);
  }));
  TextSocket client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_message().status(), 200);
  EXPECT_EQ(count, 2);
}

TEST_F(ReplayTest, TellsOfCutRequestsOnlyThoseThatAWorkerHadRead) {
  // The second of them is answered by another worker as well, but the first one was at it.
  serve([&](TextSocket& worker) {
    char byte;
    const int turn = count++;
    if (turn == 0) ::recv(worker.fd(), &byte, 1, MSG_PEEK);
    if (turn > 0) worker.read_message();
    if (turn % 2 == 1)
      worker.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  for (const char* path : {"/unread", "/read"}) {
    TextSocket client = connect();
    client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.read_message().status(), 200);
    EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  }
  EXPECT_EQ(count, 4);
  tell(link::WorkerGone{worker::WorkerId{1}});
  EXPECT_EQ(expect<link::RequestCutShort>().path, "/read");
}

TEST_F(ReplayTest, NoticesThatAKeptConnectionWasClosedBeforeItUsesIt) {
  ScriptedWorker& worker = serve([&](TextSocket& socket) {
    const Message request = socket.read_message();
    if (!request.complete) return;
    socket.send(simple_response(request.body));
    socket.close_sending();
    ++count;
  });
  TextSocket client = connect();
  for (int i = 1; i <= 20; ++i) {
    client.send(kPost);
    ASSERT_EQ(client.read_message().status(), 200);
    ASSERT_TRUE(eventually([&] { return count == i; }));
  }
  EXPECT_EQ(worker.connections(), 20);
}

TEST_F(ReplayTest, ClosesWhenAWorkerDiesInTheMiddleOfItsResponse) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  });
  const Message answer = get();
  EXPECT_EQ(answer.status(), 200);
  EXPECT_FALSE(answer.complete);
  EXPECT_TRUE(eventually([&] { return failures(dispatch::RequestFailure::WorkerDied) == 1; }));
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 1u);
}

TEST_F(ReplayTest, ResetsHttp10ClientsWhoCouldNotTellOtherwise) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  });
  TextSocket client = connect();
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(client.read_message().complete);
}

TEST_F(ReplayTest, DoesNotEndAChunkedResponseThatIsNotWhole) {
  serve([](TextSocket& worker) {
    worker.read_message();
    worker.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  });
  const Message answer = get();
  EXPECT_EQ(answer.body, "abc");
  EXPECT_FALSE(answer.complete);
}

TEST_F(ReplayTest, AnswersWhenAWorkerDiesInTheMiddleOfItsHead) {
  ScriptedWorker& worker = serve([](TextSocket& socket) {
    socket.read_message();
    socket.send("HTTP/1.1 200 OK\r\nContent-");
  });
  EXPECT_EQ(get()["x-poolwarden-reason"], "worker_died");
  EXPECT_EQ(worker.connections(), 1);
}

TEST_F(ReplayTest, KeepsRequestsOfAnyKindForAWorkerThatCannotBeReached) {
  ScriptedWorker& dead = serve(answer_all);
  dead.die();
  TextSocket client = connect();
  client.send(kPost);
  EXPECT_TRUE(eventually([&] { return link::load(row().queue_length) == 1; }));
  tell(link::WorkerGone{worker::WorkerId{1}});
  EXPECT_EQ(expect<link::Demand>().pool, "web");
  add_worker(answer_all, 2);
  EXPECT_EQ(client.read_message().status(), 200);
  EXPECT_EQ(lost(dispatch::LossCause::WorkerDied), 0u);
}

TEST_F(ReplayTest, CountsALossAgainstWhoMarkedTheWorker) {
  serve([&](TextSocket& worker) {
    worker.read_message();
    EXPECT_TRUE(eventually([&] { return go.load(); }));
  });
  TextSocket client = connect();
  client.send(kPost);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 1; }));
  drain(1);
  go = true;
  // The mark and the worker's end come by different ways; wait for the mark by a way that follows.
  expect<link::WorkerDrained>();
  EXPECT_EQ(client.read_message().status(), 502);
  EXPECT_EQ(lost(dispatch::LossCause::Recycle) + lost(dispatch::LossCause::WorkerDied), 1u);
}

}  // namespace
}  // namespace poolwarden::testing
