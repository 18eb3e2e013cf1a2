// The body of one message as it arrives: where it ends, and which bytes are data.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/chunked_decoder.h"
#include "gateway/pieces.h"

namespace poolwarden::gateway {

enum class Framing { None, Length, Chunked, UntilEof };

class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(Framing framing, std::uint64_t length)
      : framing_(framing), left_(framing == Framing::Length ? length : 0) {}

  // As ChunkedDecoder::take, for any framing.
  std::size_t take(std::string_view input, Pieces& data, std::size_t spare);

  bool done() const;
  bool bad() const { return framing_ == Framing::Chunked && chunks_.bad(); }
  bool has_body() const { return framing_ != Framing::None; }
  Framing framing() const { return framing_; }

  // The sender has closed. Whether that is how this body ends.
  bool end_of_stream();

  // What is left of it is known to be at most `bytes`.
  bool left_at_most(std::uint64_t bytes) const {
    return done() || (framing_ == Framing::Length && left_ <= bytes);
  }

 private:
  Framing framing_ = Framing::None;
  std::uint64_t left_ = 0;
  bool ended_ = false;
  ChunkedDecoder chunks_;
};

// "1f4\r\n" and what follows the data: how a body goes on when it is passed on in chunks. Keeps the
// text that the pieces point to.
class ChunkFrame {
 public:
  // `out` gets `data`, framed as one chunk, and the last chunk if it is the end.
  void wrap(const Pieces& data, bool is_end, Pieces& out);
  static constexpr std::size_t kPieces = 2;  // how many it adds to those of `data`

 private:
  char size_[20];
};

}  // namespace poolwarden::gateway
