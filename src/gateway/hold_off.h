// Having new TCP clients try again later, before a socket stops listening: whoever is in the middle
// of a handshake then would be reset, and counts itself as connected one message before accept(2)
// has it.

#pragma once

namespace poolwarden::gateway {

// From now on a segment that asks for a connection is not heard: TCP sends it again after a second.
// Handshakes that have begun go on. False: not of TCP, or not to be had. No right is needed for it.
bool hold_off_new_clients(int listening);

// For whoever has completed the handshake since: to be called once it is accepted. What it sent
// before was not heard either, and comes again.
void hear(int accepted);

}  // namespace poolwarden::gateway
