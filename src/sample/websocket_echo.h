// Sends every message of a WebSocket back to where it came from.

#pragma once

#include "sample/exchange.h"

namespace poolwarden::sample {

// Until the client closes or the socket fails.
Task<void> echo_websocket(Socket& socket, const Request& upgrade);

}  // namespace poolwarden::sample
