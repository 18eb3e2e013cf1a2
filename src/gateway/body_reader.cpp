#include "gateway/body_reader.h"

#include <algorithm>
#include <charconv>

namespace poolwarden::gateway {

std::size_t BodyReader::take(std::string_view input, Pieces& data, std::size_t spare) {
  switch (framing_) {
    case Framing::None:
      return 0;
    case Framing::Length: {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
      data.add(input.substr(0, taken));
      left_ -= taken;
      return taken;
    }
    case Framing::Chunked:
      return chunks_.take(input, data, spare);
    case Framing::UntilEof:
      data.add(input);
      return input.size();
  }
  return 0;
}

bool BodyReader::done() const {
  switch (framing_) {
    case Framing::None:
      return true;
    case Framing::Length:
      return left_ == 0;
    case Framing::Chunked:
      return chunks_.done();
    case Framing::UntilEof:
      return ended_;
  }
  return true;
}

bool BodyReader::end_of_stream() {
  if (framing_ == Framing::UntilEof) ended_ = true;
  return done();
}

void ChunkFrame::wrap(const Pieces& data, bool is_end, Pieces& out) {
  if (data.empty()) {
    if (is_end) out.add("0\r\n\r\n");
    return;
  }
  char* end = std::to_chars(size_, size_ + sizeof size_ - 2, data.bytes(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.add(std::string_view(size_, static_cast<std::size_t>(end - size_)));
  out.add(data);
  out.add(is_end ? "\r\n0\r\n\r\n" : "\r\n");
}

}  // namespace poolwarden::gateway
