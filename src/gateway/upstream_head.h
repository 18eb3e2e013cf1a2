// The head of a request as the worker gets it: hop-by-hop fields gone, forwarding fields added.

#pragma once

#include <string>
#include <string_view>

#include "gateway/request_head.h"

namespace poolwarden::gateway {

// `client`: its address; `request_id`: added when the client gave none.
void write_upstream_head(const RequestHead& head, std::string_view client,
                         std::string_view request_id, std::string& out);

}  // namespace poolwarden::gateway
