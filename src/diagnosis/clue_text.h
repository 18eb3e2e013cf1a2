// Cutting what one wants to know out of a line of text.

#pragma once

#include <optional>
#include <string_view>

namespace poolwarden::diagnosis {

inline bool mentions(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

template <typename Words>
bool mentions_any(std::string_view text, const Words& all) {
  for (const std::string_view words : all) {
    if (mentions(text, words)) return true;
  }
  return false;
}

// What follows the first `mark` that begins a word: no letter, digit or _ stands right before it.
std::optional<std::string_view> text_after_word(std::string_view line, std::string_view mark);

inline bool mentions_word(std::string_view text, std::string_view words) {
  return text_after_word(text, words).has_value();
}

template <typename Words>
bool mentions_any_word(std::string_view text, const Words& all) {
  for (const std::string_view words : all) {
    if (mentions_word(text, words)) return true;
  }
  return false;
}

// Whether a message begins with the words: at the start of the line, or after what programs put
// before their messages: "name: ", "[pid] ", "(98: ", a quote.
bool has_message(std::string_view line, std::string_view words);

template <typename Words>
bool has_any_message(std::string_view line, const Words& all) {
  for (const std::string_view words : all) {
    if (has_message(line, words)) return true;
  }
  return false;
}

// What follows the first `mark`; nothing when it is not there.
std::optional<std::string_view> text_after(std::string_view line, std::string_view mark);

// What stands before the first `mark`; all of it when it is not there.
std::string_view text_before(std::string_view line, std::string_view mark);

// Without the blanks at both ends, and without quotes of any kind around the rest.
std::string_view stripped(std::string_view text);
std::string_view unquoted(std::string_view text);

}  // namespace poolwarden::diagnosis
