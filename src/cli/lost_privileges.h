// What cannot be had where poolwarden was started with less than root's rights: what is refused for
// it, what is done without it, and the flag of Docker, Kubernetes or systemd that grants it.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "process/privileges.h"

namespace poolwarden::cli {

// Errors: a pool is to run as a user, or with capabilities, that we cannot give. To run it with
// other rights than it asks for would be worse than not to run it.
Result<void> check_privileges(const config::Settings& settings, const process::Privileges& ours);

// A sentence for each thing that is done without.
std::vector<std::string> lost_privileges(const config::Settings& settings,
                                         const process::Privileges& ours);

}  // namespace poolwarden::cli
