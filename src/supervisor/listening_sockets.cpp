#include "supervisor/listening_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace poolwarden::supervisor {
namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

Error cannot_listen(const std::string& name, int saved_errno) {
  Error error = errno_error(saved_errno, "cannot listen on " + name);
  if (saved_errno == EADDRINUSE) error.message += "; stop the other program or choose another port";
  if (saved_errno == EACCES) error.message += "; ports below 1024 need CAP_NET_BIND_SERVICE";
  return error;
}

bool somebody_listens(const sockaddr_un& address) {
  const loop::UniqueFd probe(::socket(AF_UNIX, kSocketFlags, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
             0 ||
         errno == EAGAIN;
}

Result<ListeningSocket> open_unix(const config::Address& address) {
  const std::string name = describe(address);
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof(where.sun_path))
    return failure("cannot listen on " + name + ": the path is longer than 107 bytes");
  std::memcpy(where.sun_path, address.unix_path.data(), address.unix_path.size());

  struct stat found {};
  if (::lstat(address.unix_path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return failure("cannot listen on " + name + ": there is a file that is not a socket");
    if (somebody_listens(where)) return cannot_listen(name, EADDRINUSE);
    ::unlink(address.unix_path.c_str());
  }
  loop::UniqueFd fd(::socket(AF_UNIX, kSocketFlags, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0 ||
      ::chmod(address.unix_path.c_str(), 0666) != 0 || ::listen(fd.get(), kBacklog) != 0)
    return cannot_listen(name, errno);
  return ListeningSocket{name, std::move(fd)};
}

std::string bound_name(const config::Address& address, int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  config::Address named = address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0) {
    named.port = bound.ss_family == AF_INET6
                     ? ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port)
                     : ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  }
  return describe(named);
}

Result<ListeningSocket> open_tcp(const config::Address& address) {
  const std::string name = describe(address);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int wrong = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found))
    return failure("cannot listen on " + name + ": " + ::gai_strerror(wrong));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);

  loop::UniqueFd fd(::socket(addresses->ai_family, kSocketFlags, 0));
  if (!fd) return cannot_listen(name, errno);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(fd.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      ::listen(fd.get(), kBacklog) != 0)
    return cannot_listen(name, errno);
  return ListeningSocket{bound_name(address, fd.get()), std::move(fd)};
}

}  // namespace

Result<ListeningSocket> open_listening_socket(const config::Address& address) {
  return address.unix_path.empty() ? open_tcp(address) : open_unix(address);
}

Result<std::vector<ListeningSocket>> open_listening_sockets(
    const std::vector<config::Address>& addresses) {
  std::vector<ListeningSocket> sockets;
  for (const config::Address& address : addresses) {
    auto socket = open_listening_socket(address);
    if (!socket) return socket.error();
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace poolwarden::supervisor
