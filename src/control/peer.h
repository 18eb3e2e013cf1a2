// Who is at the other end of a Unix socket, and whether they may give orders.

#pragma once

#include <sys/types.h>

namespace poolwarden::control {

// True for root, for this process's own user, and for members of `group`.
bool may_command(int socket_fd, gid_t group);

}  // namespace poolwarden::control
