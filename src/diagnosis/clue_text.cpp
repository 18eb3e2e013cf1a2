#include "diagnosis/clue_text.h"

#include <array>
#include <cctype>

namespace poolwarden::diagnosis {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";
// GNU programs write typographic quotes where the locale has them.
constexpr std::array<std::string_view, 5> kQuotes = {"'", "`", "\"", "\xe2\x80\x98",
                                                     "\xe2\x80\x99"};

constexpr std::array<std::string_view, 4> kBeforeMessages = {": ", "] ", ": \"", ": '"};

bool is_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::optional<std::string_view> text_after_word(std::string_view line, std::string_view mark) {
  for (std::size_t at = line.find(mark); at != std::string_view::npos;
       at = line.find(mark, at + 1)) {
    if (at == 0 || !is_of_word(line[at - 1])) return line.substr(at + mark.size());
  }
  return std::nullopt;
}

bool has_message(std::string_view line, std::string_view words) {
  line = stripped(line);
  for (std::size_t at = line.find(words); at != std::string_view::npos;
       at = line.find(words, at + 1)) {
    const std::string_view before = line.substr(0, at);
    if (before.empty()) return true;
    for (const std::string_view mark : kBeforeMessages) {
      if (before.ends_with(mark)) return true;
    }
  }
  return false;
}

std::optional<std::string_view> text_after(std::string_view line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return line.substr(at + mark.size());
}

std::string_view text_before(std::string_view line, std::string_view mark) {
  return line.substr(0, line.find(mark));
}

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  text = stripped(text);
  for (const std::string_view quote : kQuotes) {
    if (text.starts_with(quote)) {
      text.remove_prefix(quote.size());
      break;
    }
  }
  for (const std::string_view quote : kQuotes) {
    if (text.ends_with(quote)) {
      text.remove_suffix(quote.size());
      break;
    }
  }
  return text;
}

}  // namespace poolwarden::diagnosis
