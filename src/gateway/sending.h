// Sending gathered pieces: at once as far as the socket takes them, the rest as it drains.

#pragma once

#include "gateway/client.h"
#include "gateway/io.h"
#include "gateway/pieces.h"

namespace poolwarden::gateway {

// Success: all is sent. would_block: the socket is full, `pieces` is what remains.
error_code send_now(Socket& socket, Pieces& pieces);

// Goes on until all is sent or the socket fails.
Task<error_code> send_all(Socket& socket, Pieces& pieces);

// The same to a client, who must take some of it now and then.
Task<error_code> send_to_client(Client& client, Pieces& pieces);

}  // namespace poolwarden::gateway
