// The gateway process: speaks HTTP with clients and workers, and the control link with the
// supervisor.

#pragma once

namespace poolwarden::gateway {

// Serves until the control link ends. Returns the exit code: 0 when the supervisor closed the link,
// 1 when the gateway could not begin or was told nonsense.
int run_gateway(int link_fd, int scoreboard_fd);

}  // namespace poolwarden::gateway
