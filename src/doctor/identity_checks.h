// Whether a pool's workers can be who they are to be: user, groups, capabilities.

#pragma once

#include <optional>
#include <string>

#include "doctor/check.h"
#include "doctor/host.h"
#include "process/credentials.h"
#include "worker/worker_settings.h"

namespace poolwarden::doctor {

struct IdentityFound {
  Checks checks;
  std::optional<process::Account> account;  // absent: nobody can be asked to look as them
};

// `refusal`: why poolwarden would not give the pool its identity; empty: it would.
IdentityFound check_identity(const worker::Identity& identity, const std::string& refusal,
                             const Host& host);

// "www-data (33:33)", "12345:0".
std::string describe(const process::Account& account);

}  // namespace poolwarden::doctor
