#include "admin/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace poolwarden::admin {
namespace {

std::string described(const AdminAddress& address) {
  if (!address.unix_path.empty()) return "unix:" + address.unix_path;
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

std::string cure(int error) {
  switch (error) {
    case EADDRINUSE:
      return "; another program listens there: stop it, or set `admin` to another address";
    case EACCES:
      return "; not permitted: set `admin` to a port above 1023 or a path that may be written";
    case EADDRNOTAVAIL:
      return "; this machine does not have that address: set `admin` to one it has, or 0.0.0.0";
    default:
      return "; check `admin` in the configuration";
  }
}

Error cannot_listen(const AdminAddress& address, int error) {
  Error failed = errno_error(error, "cannot listen on admin address " + described(address));
  failed.message += cure(error);
  return failed;
}

Result<loop::UniqueFd> listen_at(const AdminAddress& address, const sockaddr* where,
                                 socklen_t length) {
  constexpr int kBacklog = 64;
  loop::UniqueFd fd(::socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return cannot_listen(address, errno);
  const int yes = 1;
  if (where->sa_family != AF_UNIX) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  if (::bind(fd.get(), where, length) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return cannot_listen(address, errno);
  }
  return fd;
}

// Whether a socket file is there that nobody listens on any more.
bool is_left_behind(const sockaddr_un& where) {
  struct stat file = {};
  if (::lstat(where.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
  const loop::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* address = reinterpret_cast<const sockaddr*>(&where);
  return ::connect(probe.get(), address, sizeof where) != 0 && errno == ECONNREFUSED;
}

Result<loop::UniqueFd> listen_unix(const AdminAddress& address) {
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof where.sun_path) {
    return cannot_listen(address, ENAMETOOLONG);
  }
  std::memcpy(where.sun_path, address.unix_path.data(), address.unix_path.size());
  if (is_left_behind(where)) ::unlink(where.sun_path);
  Result<loop::UniqueFd> fd =
      listen_at(address, reinterpret_cast<const sockaddr*>(&where), sizeof where);
  if (fd) ::chmod(where.sun_path, 0660);
  return fd;
}

Result<loop::UniqueFd> listen_tcp(const AdminAddress& address) {
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  if (const int error = ::getaddrinfo(host, port.c_str(), &wanted, &found); error != 0) {
    return failure("cannot listen on admin address " + described(address) + ": " +
                   ::gai_strerror(error) + cure(EADDRNOTAVAIL));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  return listen_at(address, found->ai_addr, found->ai_addrlen);
}

}  // namespace

Result<loop::UniqueFd> listen_on(const AdminAddress& address) {
  return address.unix_path.empty() ? listen_tcp(address) : listen_unix(address);
}

std::uint16_t port_of(int socket) {
  sockaddr_storage at = {};
  socklen_t length = sizeof at;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &length) != 0) return 0;
  if (at.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(at).sin_port);
  if (at.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(at).sin6_port);
  return 0;
}

}  // namespace poolwarden::admin
