// Text that came from outside, made fit for a log: what workers print may hold anything.

#pragma once

#include <string>
#include <string_view>

namespace poolwarden {

// The text with U+FFFD in place of every byte that is not part of valid UTF-8. For JSON.
std::string valid_utf8(std::string_view text);

// The text with control characters and invalid bytes written as \n, \t or \x1b. For terminals.
std::string escaped(std::string_view text);

}  // namespace poolwarden
