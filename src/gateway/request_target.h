// The request target and the host that it is meant for (RFC 9112 3.2).

#pragma once

#include <string_view>

#include "gateway/request_head.h"

namespace poolwarden::gateway {

// Brings head.target into origin form and sets head.path; a target in absolute form overrides
// head.host. False: it is none of the forms.
bool resolve_target(RequestHead& head);

// A host with or without a port, as RFC 3986 3.2.2 has it; empty is allowed.
bool is_host(std::string_view text);

}  // namespace poolwarden::gateway
