// Ports for workers that listen on TCP.

#pragma once

#include <cstdint>
#include <set>

#include "base/result.h"

namespace poolwarden::process {

// A port of 127.0.0.1 that nobody listens on at this moment and that is not in `taken`.
Result<std::uint16_t> find_free_port(const std::set<std::uint16_t>& taken);

}  // namespace poolwarden::process
