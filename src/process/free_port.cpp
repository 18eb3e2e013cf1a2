#include "process/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "loop/unique_fd.h"

namespace poolwarden::process {
namespace {

constexpr int kTries = 64;

Result<std::uint16_t> any_port() {
  const loop::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error(errno, "cannot make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), generic, size) < 0)
    return errno_error(errno, "cannot find a free port on 127.0.0.1");
  if (::getsockname(socket.get(), generic, &size) < 0)
    return errno_error(errno, "cannot learn the port");
  return ntohs(address.sin_port);
}

}  // namespace

Result<std::uint16_t> find_free_port(const std::set<std::uint16_t>& taken) {
  for (int tries = 0; tries < kTries; ++tries) {
    auto port = any_port();
    if (!port || !taken.contains(*port)) return port;
  }
  return failure("cannot find a free port on 127.0.0.1: all that were tried are taken");
}

}  // namespace poolwarden::process
