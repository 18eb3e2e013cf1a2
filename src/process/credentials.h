// Who a worker runs as: names of passwd(5) and group(5) into numbers.

#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "process/launch_plan.h"
#include "worker/worker_settings.h"

namespace poolwarden::process {

struct Account {
  Credentials credentials;
  bool changes = false;  // the child has to become it; else it is who we are
  // Empty when nobody is named, or the number has no entry in passwd.
  std::string name, home, shell;
};

Result<Account> find_account(const worker::Identity& identity);

// Who that is, whether or not we may become it.
Result<Account> look_up_account(const worker::Identity& identity);

// "CAP_NET_BIND_SERVICE" or "net_bind_service", as bits.
Result<std::uint64_t> capability_set(const std::vector<std::string>& names);

// The names in a set, as Docker and Kubernetes write them: {"NET_BIND_SERVICE", "KILL"}.
std::vector<std::string> capability_names(std::uint64_t set);

}  // namespace poolwarden::process
