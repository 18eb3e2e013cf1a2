// A session whose limits are looked at in the moment between a read and what is made of it.

#include "gateway/session.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

#include "loop/rethrow.h"
#include "loop/unique_fd.h"

namespace poolwarden::gateway {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

struct SessionTest : ::testing::Test {
  SessionTest() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    client = loop::UniqueFd(pair[0]);
    link::PoolAdded pool;
    pool.pool = "web";
    pool.routes = {pool::Route{}};
    EXPECT_TRUE(router.add_pool(pool));
    router.change_routes();
    Socket socket(io);
    socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), pair[1]);
    auto made = std::make_unique<Session>(around, std::move(socket), "unix:", row);
    session_socket = made->client_socket();
    asio::co_spawn(io, run_session(std::move(made)), loop::rethrow);
  }

  ~SessionTest() override {
    sessions.abandon_all();
    io.poll();
  }

  bool unread() {
    char byte;
    return ::recv(session_socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }

  std::string answer() {
    char text[4096];
    const ssize_t size = ::recv(client.get(), text, sizeof text, MSG_DONTWAIT);
    return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  asio::io_context io;
  link::ScoreboardMap map = link::ScoreboardMap::create().value();
  link::ScoreboardMap writable = link::ScoreboardMap::open_for_writing(map.fd()).value();
  link::Scoreboard& board = writable.writable();
  link::ListenerRow& row = board.listeners[0];
  Router router{io, board, [](const link::ToSupervisor&) {}};
  SessionTable sessions;
  Surroundings around{io, router, sessions, board};
  loop::UniqueFd client;
  int session_socket = -1;
};

TEST_F(SessionTest, ARequestThatWasReadWhenTheIdleTimeEndsIsServed) {
  ASSERT_EQ(::send(client.get(), kRequest.data(), kRequest.size(), 0),
            static_cast<ssize_t>(kRequest.size()));
  while (unread()) ASSERT_EQ(io.poll_one(), 1u);
  sessions.sweep(Clock::now() + 24h);
  io.poll();
  sessions.sweep(Clock::now());
  io.poll();
  EXPECT_EQ(link::load(board.pools[0].queue_length), 1u);  // no worker is there yet
  EXPECT_FALSE(sessions.empty());
}

TEST_F(SessionTest, ASilentOneIsClosedWhenTheIdleTimeEnds) {
  io.poll();
  sessions.sweep(Clock::now() + 24h);
  io.poll();
  EXPECT_TRUE(sessions.empty());
  EXPECT_EQ(answer(), "");
}

}  // namespace
}  // namespace poolwarden::gateway
