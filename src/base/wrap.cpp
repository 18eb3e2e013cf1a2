#include "base/wrap.h"

#include <algorithm>

namespace poolwarden {

void append_wrapped(std::string& page, std::string_view text, std::size_t column,
                    std::size_t indent) {
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!is_first && column + 1 + word.size() > kTerminalColumns) {
      page.append("\n").append(indent, ' ');
      column = indent;
    } else if (!is_first) {
      page += ' ';
      ++column;
    }
    page += word;
    column += word.size();
    is_first = false;
  }
  page += '\n';
}

}  // namespace poolwarden
