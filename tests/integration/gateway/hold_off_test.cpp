// Real handshakes with a listening socket that holds new clients off, by a process without rights.

#include "gateway/hold_off.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "loop/unique_fd.h"

namespace poolwarden::gateway {
namespace {

using loop::UniqueFd;

constexpr int kPatience = 60'000;  // milliseconds

// One of each family on the loopback interface.
struct HeldOff : testing::TestWithParam<int> {
  UniqueFd listening{::socket(GetParam(), SOCK_STREAM, 0)};
  sockaddr_storage address{};
  socklen_t size = sizeof address;

  void SetUp() override {
    address.ss_family = static_cast<sa_family_t>(GetParam());
    if (GetParam() == AF_INET) {
      reinterpret_cast<sockaddr_in*>(&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr = in6addr_loopback;
    }
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening.get(), any, sizeof address) != 0) GTEST_SKIP() << "no such address here";
    ASSERT_EQ(::listen(listening.get(), 16), 0);
    ASSERT_EQ(::getsockname(listening.get(), any, &size), 0);
  }

  UniqueFd connecting() const {
    UniqueFd client(::socket(GetParam(), SOCK_STREAM | SOCK_NONBLOCK, 0));
    const int begun = ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size);
    EXPECT_TRUE(begun == 0 || errno == EINPROGRESS);
    return client;
  }
};

bool comes(int fd, short event) {
  pollfd polled{fd, event, 0};
  return ::poll(&polled, 1, kPatience) == 1;
}

// 0, or the errno with which the attempt ended.
int outcome_of(const UniqueFd& client) {
  EXPECT_TRUE(comes(client.get(), POLLOUT));
  int error = 0;
  socklen_t size = sizeof error;
  EXPECT_EQ(::getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  return error;
}

bool held_off_without_rights(int listening) {
  bool done = false;
  std::jthread([&] {  // capset(2) is for one thread
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[2] = {};
    done = ::syscall(SYS_capset, &header, none) == 0 && hold_off_new_clients(listening);
  })
      .join();
  return done;
}

TEST_P(HeldOff, WhoComesAnewIsRefusedAndNeverConnected) {
  ASSERT_TRUE(held_off_without_rights(listening.get()));
  const UniqueFd client = connecting();
  pollfd polled{client.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&polled, 1, 0), 0) << "on this interface a handshake is over at once";
  ::shutdown(listening.get(), SHUT_RD);
  EXPECT_EQ(outcome_of(client), ECONNREFUSED);
}

TEST_P(HeldOff, WhoHasBegunIsAcceptedAndHeard) {
  const int on = 1;  // its part of the handshake is left open until something is sent
  ASSERT_EQ(::setsockopt(listening.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on), 0);
  const UniqueFd client = connecting();
  ASSERT_EQ(outcome_of(client), 0);
  ASSERT_TRUE(held_off_without_rights(listening.get()));

  ASSERT_EQ(::send(client.get(), "a", 1, 0), 1);
  ASSERT_TRUE(comes(listening.get(), POLLIN));
  const UniqueFd accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK));
  ASSERT_TRUE(accepted);
  ASSERT_EQ(::send(client.get(), "b", 1, 0), 1);
  hear(accepted.get());

  std::string heard;
  for (char byte; heard.size() < 2 && comes(accepted.get(), POLLIN);)
    if (::recv(accepted.get(), &byte, 1, 0) == 1) heard += byte;
  EXPECT_EQ(heard, "ab");
}

INSTANTIATE_TEST_SUITE_P(, HeldOff, testing::Values(AF_INET, AF_INET6),
                         [](const auto& family) { return family.param == AF_INET ? "V4" : "V6"; });

TEST(HoldOff, NobodyAtAUnixSocket) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  EXPECT_FALSE(hold_off_new_clients(socket.get()));
}

}  // namespace
}  // namespace poolwarden::gateway
