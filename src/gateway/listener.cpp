#include "gateway/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <cstring>

#include "gateway/hold_off.h"
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
  if (is_held_off_) hear(fd.get());
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

bool Listener::hold_off() {
  is_held_off_ = socket_.is_open() && hold_off_new_clients(socket_.native_handle());
  return is_held_off_;
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
