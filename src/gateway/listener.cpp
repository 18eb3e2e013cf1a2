#include "gateway/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "loop/rethrow.h"

namespace poolwarden::gateway {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(100);
constexpr int kAtOnce = 64;  // then others have their turn

// For X-Forwarded-For.
std::string describe(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &peer, sizeof address);
    return ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  }
  if (peer.ss_family != AF_INET6) return "unix:";
  sockaddr_in6 address;
  std::memcpy(&address, &peer, sizeof address);
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    return ::inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text, sizeof text);
  }
  return ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
}

// Drops the segment that asks for a connection, and no other. What a filter of a TCP socket looks
// at begins with the TCP header (socket(7), SO_ATTACH_FILTER; RFC 9293, 3.1).
bool drop_new_connections(int socket) {
  constexpr std::uint32_t kFlagsAt = 13, kWhole = 0xffffffff, kNothing = 0;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsAt),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, kWhole),
      BPF_STMT(BPF_RET | BPF_K, kNothing),
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

bool is_tcp(int socket) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

}  // namespace

Listener::Listener(Surroundings& around, loop::UniqueFd socket, link::ListenerRow& row)
    : around_(around), socket_(around.io), row_(row), pause_(around.io) {
  // Shared with others who listen on it, who want the same.
  const int flags = ::fcntl(socket.get(), F_GETFL);
  ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
  socket_.assign(socket.release());
}

Task<> Listener::run() {
  for (;;) {
    auto [error] = co_await socket_.async_wait(asio::posix::descriptor_base::wait_read, as_result);
    if (error || !socket_.is_open()) co_return;
    Outcome outcome = Outcome::Accepted;
    for (int i = 0; i < kAtOnce && outcome == Outcome::Accepted; ++i) outcome = accept_one();
    if (outcome != Outcome::Exhausted) continue;
    row_.accept_failures.fetch_add(1, std::memory_order_relaxed);
    // Descriptors or memory ran out: connections wait in the backlog until some are given back.
    pause_.expires_after(kPause);
    co_await pause_.async_wait(as_result);
    if (!socket_.is_open()) co_return;
  }
}

Listener::Outcome Listener::accept_one() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  loop::UniqueFd fd(::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                              SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (exhausted) return Outcome::Exhausted;
    return errno == EAGAIN || errno == EINVAL ? Outcome::NoneWaits : Outcome::Accepted;
  }
  row_.accepted.fetch_add(1, std::memory_order_relaxed);
  if (size == 0 || peer.ss_family == AF_UNSPEC) peer.ss_family = AF_UNIX;
  const int family = peer.ss_family;
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Socket socket(around_.io);
  error_code error;
  socket.assign(asio::generic::stream_protocol(family, 0), fd.get(), error);
  if (error) return Outcome::Exhausted;
  fd.release();
  asio::co_spawn(
      around_.io,
      run_session(std::make_unique<Session>(around_, std::move(socket), describe(peer), row_)),
      loop::rethrow);
  return Outcome::Accepted;
}

// A client counts itself as connected one message before accept(2) can have it. A socket that stops
// listening in between resets it, and its request is lost.
bool Listener::hold_off() {
  const int fd = socket_.is_open() ? socket_.native_handle() : -1;
  return fd >= 0 && is_tcp(fd) && drop_new_connections(fd);
}

void Listener::stop() {
  while (socket_.is_open() && accept_one() == Outcome::Accepted) continue;
  // For all who hold it, the supervisor too: who connects from now on is refused at once, and not
  // left in a backlog that nobody takes from.
  if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RD);
  close();
}

void Listener::close() {
  error_code ignored;
  socket_.close(ignored);
  pause_.cancel();
}

}  // namespace poolwarden::gateway
