// The environment that a worker finds: ours, what tells it its place, and what its settings add.

#pragma once

#include <map>
#include <string>

#include "process/credentials.h"
#include "worker/worker_host.h"

namespace poolwarden::process {

using Environment = std::map<std::string, std::string>;

// Our own, without what our own supervisor told us.
Environment inherited_environment();

// What the worker is told besides its assignment and settings.
struct Place {
  std::string notify_socket;
  std::string socket;      // with Unix and Inherit
  std::uint16_t port = 0;  // with Tcp
  bool passed = false;     // the socket is descriptor 3
};

Environment worker_environment(const Environment& inherited, const Account& account,
                               const worker::Assignment& assignment,
                               const worker::WorkerSettings& settings, const Place& place);

}  // namespace poolwarden::process
