#include "sample/listening_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "sample/surroundings.h"

namespace poolwarden::sample {
namespace {

constexpr int kFirstInherited = 3;  // SD_LISTEN_FDS_START
constexpr int kBacklog = 1024;

Result<ListeningSocket> inherited() {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(kFirstInherited, reinterpret_cast<sockaddr*>(&address), &length) < 0) {
    return errno_error(errno, "cannot use the inherited descriptor 3");
  }
  ::fcntl(kFirstInherited, F_SETFD, FD_CLOEXEC);
  return ListeningSocket{loop::UniqueFd(kFirstInherited), address.ss_family,
                         "the inherited socket"};
}

Result<ListeningSocket> listen_at(int family, const sockaddr* address, socklen_t length,
                                  const std::string& described) {
  loop::UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error(errno, "cannot make a socket for " + described);
  const int on = 1;
  if (family != AF_UNIX) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd.get(), address, length) < 0) {
    return errno_error(errno, "cannot bind " + described);
  }
  if (::listen(fd.get(), kBacklog) < 0) {
    return errno_error(errno, "cannot listen on " + described);
  }
  return ListeningSocket{std::move(fd), family, described};
}

Result<ListeningSocket> on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return failure("cannot bind " + path + ": a socket's path has at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  ::unlink(path.c_str());
  return listen_at(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address),
                   "unix:" + path);
}

Result<ListeningSocket> on_port(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return failure("cannot resolve " + host + ":" + port + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  return listen_at(owned->ai_family, owned->ai_addr, owned->ai_addrlen, host + ":" + port);
}

}  // namespace

Result<ListeningSocket> open_listening_socket() {
  if (environment("LISTEN_FDS")) return inherited();
  if (const auto path = environment("POOLWARDEN_SOCKET")) return on_path(*path);
  if (const auto port = environment("PORT")) {
    return on_port(environment("HOST").value_or("127.0.0.1"), *port);
  }
  return failure(
      "cannot tell where to listen: LISTEN_FDS, POOLWARDEN_SOCKET and PORT are not set; "
      "the sample worker is started by poolwarden");
}

}  // namespace poolwarden::sample
