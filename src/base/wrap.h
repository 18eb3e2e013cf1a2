// Text broken into lines of 80 columns, between words.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poolwarden {

inline constexpr std::size_t kTerminalColumns = 80;

// Appends `text` and an end of line to `page`, whose last line has `column` columns so far. Further
// lines begin with `indent` spaces. A word that is longer than a line stays whole.
void append_wrapped(std::string& page, std::string_view text, std::size_t column,
                    std::size_t indent);

}  // namespace poolwarden
