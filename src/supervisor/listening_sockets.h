// The sockets that clients connect to. The supervisor owns them for its whole life, so a gateway
// that dies takes no waiting connection with it.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "loop/unique_fd.h"

namespace poolwarden::supervisor {

struct ListeningSocket {
  std::string name;  // as bound: with the port that port 0 became
  loop::UniqueFd fd;
};

// Non-blocking, close-on-exec, listening. A stale Unix socket file is replaced; one that somebody
// listens on is not. Errors name the address and the cure.
Result<ListeningSocket> open_listening_socket(const config::Address& address);
// All of them, or none.
Result<std::vector<ListeningSocket>> open_listening_sockets(
    const std::vector<config::Address>& addresses);

}  // namespace poolwarden::supervisor
