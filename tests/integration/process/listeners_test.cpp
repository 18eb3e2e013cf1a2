// Who listens on a port or a Unix socket, as /proc tells it of this process.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/unique_fd.h"
#include "process/listeners_in_proc.h"

namespace poolwarden::process {
namespace {

// A TCP socket that has a port, and listens only when it is told to.
class Port {
 public:
  Port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    number_ = ntohs(address.sin_port);
  }
  void listen() const { EXPECT_EQ(::listen(socket_.get(), 1), 0); }
  std::uint16_t number() const { return number_; }

 private:
  loop::UniqueFd socket_;
  std::uint16_t number_ = 0;
};

TEST(Listeners, AreToldWithTheirProcess) {
  const Port port;
  port.listen();
  const auto holder = find_port_holder({port.number()});
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->port, port.number());
  EXPECT_EQ(holder->pid, ::getpid());
  EXPECT_FALSE(holder->name.empty());
}

TEST(Listeners, AreThoseOfTheFirstPortThatIsListenedOn) {
  const Port silent, first, second;
  first.listen();
  second.listen();
  const auto holder = find_port_holder({silent.number(), first.number(), second.number()});
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->port, first.number());
}

TEST(Listeners, AreToldWithoutTheirProcessWhereThatIsTooMuchWork) {
  const Port port;
  port.listen();
  const auto holder = find_port_holder({port.number()}, Duration::zero());
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->port, port.number());
  EXPECT_EQ(holder->pid, 0);
}

TEST(Listeners, AreMoreThanThoseWhoHaveAPort) {
  const Port port;
  EXPECT_FALSE(find_port_holder({port.number()}));
  EXPECT_FALSE(find_port_holder({}));
}

}  // namespace
}  // namespace poolwarden::process
