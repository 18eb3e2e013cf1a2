#include "gateway/upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/match.h"
#include "loop/unique_fd.h"

namespace poolwarden::gateway {
namespace {

constexpr Duration kStaleAfter = std::chrono::seconds(60);

socklen_t fill(sockaddr_storage& storage, const worker::UnixEndpoint& endpoint) {
  sockaddr_un address{};
  if (endpoint.path.empty() || endpoint.path.size() >= sizeof address.sun_path) return 0;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
  std::memcpy(&storage, &address, sizeof address);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + endpoint.path.size() + 1);
}

socklen_t fill(sockaddr_storage& storage, const worker::TcpEndpoint& endpoint) {
  error_code error;
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  const auto address = asio::ip::make_address(host, error);
  if (error) return 0;
  const asio::ip::tcp::endpoint whole(address, endpoint.port);
  std::memcpy(&storage, whole.data(), whole.size());
  return static_cast<socklen_t>(whole.size());
}

// Nothing has come and the other end is open: an idle connection should be silent.
bool is_usable(Socket& socket) {
  char byte;
  const ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && errno == EAGAIN;
}

error_code system_error(int number) { return {number, boost::system::system_category()}; }

}  // namespace

Upstream::Upstream(asio::io_context& io, worker::WorkerId id, const worker::Endpoint& endpoint,
                   link::WorkerRow& row)
    : io_(io), id_(id), row_(row) {
  std::visit(Match{[this](const worker::UnixEndpoint& unix_endpoint) {
                     address_size_ = fill(address_, unix_endpoint);
                   },
                   [this](const worker::TcpEndpoint& tcp) {
                     transport_ = dispatch::Transport::Tcp;
                     address_size_ = fill(address_, tcp);
                   }},
             endpoint);
}

std::unique_ptr<WorkerConnection> Upstream::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<WorkerConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (is_usable(connection->socket)) return connection;
  }
  return nullptr;
}

void Upstream::give_back(std::unique_ptr<WorkerConnection> connection, TimePoint now) {
  if (mark || gone_since) return;
  connection->idle_since = now;
  idle_.push_back(std::move(connection));
}

void Upstream::come_back() {
  mark.reset();
  gone_since.reset();
  abandoned = drain_reported = false;
  timeout_reported = {};
  cut_requests = {};
}

// A tunnel holds nobody up for longer than it may, and is not cut while requests do so anyway.
bool Upstream::tunnels_are_over(TimePoint now) const {
  if (abandoned) return true;
  if (gone_since) return now - *gone_since >= kGoneGrace;
  if (!mark || !mark->tunnel_limit) return false;
  return leases == tunnels && now - mark->since >= *mark->tunnel_limit;
}

void Upstream::close_stale(TimePoint now) {
  std::erase_if(idle_, [&](const std::unique_ptr<WorkerConnection>& connection) {
    return now - connection->idle_since > kStaleAfter || !is_usable(connection->socket);
  });
}

// connect(2) by hand: Asio takes the EAGAIN of a Unix socket whose backlog is full for "in
// progress", and then for success.
Task<error_code> Upstream::connect(WorkerConnection& connection) {
  if (address_size_ == 0) co_return system_error(EINVAL);
  const int family = address_.ss_family;
  loop::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) co_return system_error(errno);
  const int connected =
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), address_size_);
  const int problem = connected == 0 ? 0 : errno;
  if (problem != 0 && problem != EINPROGRESS) co_return system_error(problem);
  if (transport_ == dispatch::Transport::Tcp) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  error_code error;
  connection.socket.assign(asio::generic::stream_protocol(family, 0), fd.get(), error);
  if (error) co_return error;
  fd.release();
  if (problem == 0) co_return error_code{};

  pollfd done{connection.socket.native_handle(), POLLOUT, 0};
  do {  // Asio may wake us with what was meant for a descriptor closed before
    auto [waited] = co_await connection.socket.async_wait(Socket::wait_write, as_result);
    if (waited) co_return waited;
  } while (::poll(&done, 1, 0) == 0);
  int result = 0;
  socklen_t size = sizeof result;
  ::getsockopt(connection.socket.native_handle(), SOL_SOCKET, SO_ERROR, &result, &size);
  co_return result == 0 ? error_code{} : system_error(result);
}

}  // namespace poolwarden::gateway
