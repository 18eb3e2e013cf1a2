// Whoever connects in the moment in which the gateway stops listening: answered or refused, never
// cut.

#include <thread>
#include <vector>

#include "integration/gateway/gateway_fixture.h"

namespace poolwarden::testing {
namespace {

constexpr int kClients = 4;

class LastConnectionsTest : public GatewayTest {
 protected:
  // Connects again and again until it is refused; counts the connections that were made in vain.
  void connect_until_refused() {
    for (;;) {
      try {
        TextSocket client = connect();
        if (!client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") ||
            client.read_message().status() != 200) {
          ++in_vain;
        }
        ++count;
      } catch (const std::runtime_error&) {
        return;
      }
    }
  }

  std::atomic<int> in_vain = 0;
};

TEST_F(LastConnectionsTest, AreAnswered) {
  serve(answer_all);
  std::vector<std::jthread> clients;
  for (int i = 0; i < kClients; ++i) clients.emplace_back([this] { connect_until_refused(); });
  EXPECT_TRUE(eventually([&] { return count > 20; }));
  tell(link::Quiesce{});
  for (std::jthread& client : clients) client.join();
  EXPECT_EQ(in_vain, 0);
}

}  // namespace
}  // namespace poolwarden::testing
