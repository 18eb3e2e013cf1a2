// The socket that the sample worker serves on, whatever way of `connect` its pool uses.

#pragma once

#include <string>

#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::sample {

struct ListeningSocket {
  loop::UniqueFd fd;
  int family = 0;
  std::string described;  // "unix:/run/…", "127.0.0.1:4711", "the inherited socket"
};

// LISTEN_FDS first (inherit), then POOLWARDEN_SOCKET (unix), then HOST and PORT (tcp).
Result<ListeningSocket> open_listening_socket();

}  // namespace poolwarden::sample
