#include "gateway/head_scanner.h"

namespace poolwarden::gateway {

HeadScanner::Found HeadScanner::scan(std::string_view bytes) {
  for (;;) {
    const bool begins_with_space = line_start_ != 0 && line_start_ < bytes.size() &&
                                   (bytes[line_start_] == ' ' || bytes[line_start_] == '\t');
    if (begins_with_space) return Found::FoldedLine;

    const std::size_t feed = bytes.find('\n', looked_at_);
    if (feed == std::string_view::npos) {
      looked_at_ = bytes.size();
      return Found::More;
    }
    if (feed == line_start_ || bytes[feed - 1] != '\r') return Found::BareLineFeed;
    const bool empty_line = feed - 1 == line_start_;
    line_start_ = looked_at_ = feed + 1;
    if (empty_line) return Found::End;
  }
}

}  // namespace poolwarden::gateway
