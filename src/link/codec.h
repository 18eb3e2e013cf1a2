// Messages of the control link <-> one packet of JSON text. Decoding trusts nothing: an unknown
// kind, a missing or wrong field is an error that names it.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "link/messages.h"

namespace poolwarden::link {

std::string encode(const ToGateway& message);
std::string encode(const ToSupervisor& message);
Result<ToGateway> decode_to_gateway(std::string_view packet);
Result<ToSupervisor> decode_to_supervisor(std::string_view packet);

}  // namespace poolwarden::link
