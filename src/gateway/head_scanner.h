// Finds the end of a message head in bytes that arrive bit by bit, and what no parser may see:
// lines that end in a bare LF, and lines folded over several (obs-fold of RFC 9112 5.2).

#pragma once

#include <cstddef>
#include <string_view>

namespace poolwarden::gateway {

class HeadScanner {
 public:
  enum class Found { More, End, BareLineFeed, FoldedLine };

  // `bytes`: all since the head's first; earlier ones are not looked at again.
  Found scan(std::string_view bytes);

  // After End: the head's length, its empty line included.
  std::size_t length() const { return line_start_; }
  void reset() { line_start_ = looked_at_ = 0; }

 private:
  std::size_t line_start_ = 0;
  std::size_t looked_at_ = 0;
};

}  // namespace poolwarden::gateway
