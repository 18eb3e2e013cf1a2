// SHA-256 (FIPS 180-4), to tell one configuration file from another.

#pragma once

#include <string>
#include <string_view>

namespace poolwarden {

// 64 hexadecimal digits.
std::string sha256(std::string_view text);

}  // namespace poolwarden
