// Takes the chunks off a body (RFC 9112 7.1), strictly; extensions and trailers are dropped.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/pieces.h"

namespace poolwarden::gateway {

class ChunkedDecoder {
 public:
  // Adds the data found in `input` to `data`, as long as that has room for more than `spare`
  // pieces, and returns how many bytes of `input` it is done with.
  std::size_t take(std::string_view input, Pieces& data, std::size_t spare);

  bool done() const { return state_ == State::Done; }
  bool bad() const { return state_ == State::Bad; }

 private:
  enum class State {
    Size,
    AfterSize,
    Extension,
    SizeEnd,
    Data,
    DataReturn,
    DataFeed,
    TrailerStart,
    Trailer,
    TrailerFeed,
    LastFeed,
    Done,
    Bad,
  };

  State next(char c);
  State next_in_size(char c);
  State next_in_line(char c, State stay, State at_return);
  std::size_t take_data(std::string_view input, Pieces& data);

  State state_ = State::Size;
  std::uint64_t size_ = 0;  // of this chunk; in Data: what is left of it
  unsigned digits_ = 0;
  std::size_t overhead_ = 0;  // bytes of this extension, or of all trailers
};

}  // namespace poolwarden::gateway
