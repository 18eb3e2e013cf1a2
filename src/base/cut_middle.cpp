#include "base/cut_middle.h"

#include <algorithm>

namespace poolwarden {
namespace {

constexpr std::string_view kCut = "(cut)\n";

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

std::string_view beginning_of(std::string_view text, std::size_t most) {
  if (const std::size_t end = text.substr(0, most).rfind('\n'); end != std::string_view::npos)
    return text.substr(0, end + 1);
  return whole_characters(text, most);
}

std::string_view end_of(std::string_view text, std::size_t most) {
  std::size_t from = text.size() - most;
  const std::size_t line = text.find('\n', from - 1) + 1;
  if (line != 0 && line < text.size()) return text.substr(line);
  while (from < text.size() && continues_a_character(text[from])) ++from;
  return text.substr(from);
}

}  // namespace

std::string_view whole_characters(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && continues_a_character(text[most])) --most;
  return text.substr(0, most);
}

std::string without_middle(std::string_view text, std::size_t most, std::size_t beginning) {
  if (text.size() <= most) return std::string(text);
  std::string kept(beginning_of(text, std::min(beginning, most)));
  if (!kept.ends_with('\n')) kept += '\n';
  kept += kCut;
  return kept.append(end_of(text, most - std::min(most, kept.size())));
}

}  // namespace poolwarden
