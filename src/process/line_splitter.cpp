#include "process/line_splitter.h"

#include <utility>

namespace poolwarden::process {

void LineSplitter::append(std::string_view part, const Emit& emit) {
  if (cut_) return;
  const std::size_t room = kLongest - line_.size();
  line_.append(part.substr(0, room));
  if (part.size() <= room) return;
  emit(std::exchange(line_, {}) + " [cut: longer than " + std::to_string(kLongest) + " bytes]");
  cut_ = true;
}

void LineSplitter::feed(std::string_view bytes, const Emit& emit) {
  for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos;) {
    append(bytes.substr(0, end), emit);
    if (line_.ends_with('\r')) line_.pop_back();
    if (!cut_) emit(std::exchange(line_, {}));
    cut_ = false;
    bytes.remove_prefix(end + 1);
  }
  append(bytes, emit);
}

void LineSplitter::finish(const Emit& emit) {
  if (!line_.empty()) emit(std::exchange(line_, {}));
  cut_ = false;
}

}  // namespace poolwarden::process
