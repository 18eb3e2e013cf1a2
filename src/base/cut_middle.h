// A text that is too long for where it goes: without its middle, or its beginning.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace poolwarden {

// At most `most` bytes: the beginning, at most `beginning` bytes of it, a line "(cut)", and the
// end. Whole lines, and of a line that is too long for that whole characters. `text` is valid
// UTF-8.
std::string without_middle(std::string_view text, std::size_t most, std::size_t beginning);

// The beginning of it, at most `most` bytes of whole characters. `text` is valid UTF-8.
std::string_view whole_characters(std::string_view text, std::size_t most);

}  // namespace poolwarden
