// Whether the addresses of the configuration can be listened on.

#pragma once

#include <string>

#include "config/settings.h"
#include "doctor/check.h"

namespace poolwarden::doctor {

// Listens there for a moment. `subject`: "listen", "admin". `is_running`: a supervisor of this
// configuration runs already, and is the likely one to have it.
Check check_address(const std::string& subject, const config::Address& address, bool is_running);

}  // namespace poolwarden::doctor
