// Bytes that nobody meant: whatever clients and workers send, the gateway goes on serving.

#include <random>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

using NoiseTest = GatewayTest;

// A few bytes changed, lost, doubled, or the end cut off.
std::string mutated(std::string text, std::mt19937& random) {
  static constexpr char kTelling[] = "\r\n\0 :;,\t0123456789abcdefx/\x7f\xff";
  for (std::uint32_t i = random() % 4 + 1; i > 0 && !text.empty(); --i) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text[at] = kTelling[random() % (sizeof kTelling - 1)];
        break;
      case 1:
        text.erase(at, random() % 4 + 1);
        break;
      case 2:
        text.insert(at, text.substr(at, random() % 20));
        break;
      case 3:
        text.insert(at, 1, kTelling[random() % (sizeof kTelling - 1)]);
        break;
    }
  }
  return text;
}

TEST_F(NoiseTest, OutlivesWhateverClientsSend) {
  serve(answer_all);
  const std::string seeds[] = {
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
      "GET http://b/ HTTP/1.0\r\nConnection: keep-alive, x\r\nX: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nxyz",
  };
  std::mt19937 random(11);
  for (int i = 0; i < 1000; ++i) {
    TextSocket client = connect();
    client.send(mutated(seeds[random() % std::size(seeds)], random));
    client.close_sending();
    if (i % 2 == 0) client.read_to_end();
  }
  EXPECT_EQ(get().status(), 200);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
}

TEST_F(NoiseTest, OutlivesWhateverWorkersSend) {
  const std::string seeds[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
      "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
      "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nx",
  };
  std::mutex mutex;
  std::mt19937 random(13);
  serve([&](TextSocket& worker) {
    const Message request = worker.read_message();
    if (!request.complete) return;
    if (request.start_line.starts_with("GET /sane")) {
      worker.send(simple_response("x"));
      return;
    }
    std::lock_guard lock(mutex);
    worker.send(mutated(seeds[random() % std::size(seeds)], random));
  });
  for (int i = 0; i < 500; ++i) {
    TextSocket client = connect();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n");
    client.close_sending();
    client.read_to_end();
  }
  EXPECT_EQ(get("/sane").status(), 200);
  EXPECT_TRUE(eventually([&] { return link::load(row().in_flight) == 0; }));
  end_all();
}

}  // namespace
}  // namespace poolwarden::testing
