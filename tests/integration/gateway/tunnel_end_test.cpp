// The end of a tunnel, move by move: nothing that has been said is lost.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>

#include "gateway/tunnel.h"
#include "integration/gateway/http_text.h"
#include "loop/rethrow.h"

namespace poolwarden::gateway {
namespace {

using testing::TextSocket;

// A tunnel whose both far ends the test holds.
class TunnelEndTest : public ::testing::Test {
 protected:
  TunnelEndTest()
      : client_end(loop::UniqueFd()),
        worker_end(loop::UniqueFd()),
        worker_(io_),
        client_(connect(client_end), "unix:", now_) {
    worker_.socket = connect(worker_end);
  }
  void begin() {
    asio::co_spawn(io_, tunnel.run([] {}), [this](const std::exception_ptr& error) {
      ended = true;
      loop::rethrow(error);
    });
    run();
  }
  void run() {  // until everything waits
    while (io_.poll() != 0) io_.restart();
    io_.restart();
  }

 private:
  Socket connect(TextSocket& far_end) {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    far_end = TextSocket(loop::UniqueFd(pair[0]));
    Socket socket(io_);
    const int small = 4096;
    ::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), pair[1]);
    return socket;
  }

 protected:
  TextSocket client_end;
  TextSocket worker_end;

 private:
  asio::io_context io_;
  TimePoint now_{};
  WorkerConnection worker_;
  Client client_;
  link::PoolRow row_{};

 protected:
  Tunnel tunnel{client_, worker_, row_};
  bool ended = false;
};

TEST_F(TunnelEndTest, PassesOnWhatTheWorkerHasSentBefore) {
  begin();
  worker_end.send("last words");
  tunnel.end();
  run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(client_end.read_to_end(), "last words");
  EXPECT_TRUE(client_end.was_closed());
  EXPECT_TRUE(worker_end.was_closed());
}

TEST_F(TunnelEndTest, LeavesTheClientTimeToBeReadUntilItsSocketIsClosed) {
  begin();
  tunnel.end();
  run();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(client_end.was_closed());
  EXPECT_TRUE(client_end.send("late words"));  // its way is still open, and nothing is reset
  EXPECT_TRUE(client_end.was_closed());
}

TEST_F(TunnelEndTest, DoesNotLoseTheWayBackOverWordsThatTheWorkerDoesNotTake) {
  begin();
  const std::string much(10'000'000, 'x');
  while (::send(client_end.fd(), much.data(), much.size(), MSG_NOSIGNAL) > 0) run();
  worker_end.send("last words");
  tunnel.end();
  run();
  EXPECT_TRUE(ended);
  EXPECT_EQ(client_end.read_to_end(), "last words");
}

TEST_F(TunnelEndTest, DoesNotWaitForAClientThatTakesNothing) {
  begin();
  const std::string much(10'000'000, 'x');
  while (::send(worker_end.fd(), much.data(), much.size(), MSG_NOSIGNAL) > 0) run();
  EXPECT_FALSE(ended);
  tunnel.end();
  run();
  EXPECT_TRUE(ended);
}

TEST_F(TunnelEndTest, ComesAtOnceWhenItIsToldAgain) {
  begin();
  const std::string much(100'000, 'x');
  worker_end.send(much);
  tunnel.end();
  run();
  EXPECT_FALSE(ended);  // the client has no room for what is to be passed on
  tunnel.end();
  run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace poolwarden::gateway
