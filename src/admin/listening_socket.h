// A socket that listens on the admin address.

#pragma once

#include <cstdint>

#include "admin/admin_server.h"
#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::admin {

// Close-on-exec and non-blocking. Errors name the address and say what to do.
Result<loop::UniqueFd> listen_on(const AdminAddress& address);

std::uint16_t port_of(int socket);  // 0 for a Unix socket

}  // namespace poolwarden::admin
