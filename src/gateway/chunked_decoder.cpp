#include "gateway/chunked_decoder.h"

#include <algorithm>

namespace poolwarden::gateway {
namespace {

constexpr unsigned kMostDigits = 15;  // of a chunk's size: no overflow of 64 bits
constexpr std::size_t kMostOverhead = 16 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

std::size_t ChunkedDecoder::take(std::string_view input, Pieces& data, std::size_t spare) {
  std::size_t at = 0;
  while (at < input.size() && !done() && !bad()) {
    if (state_ == State::Data) {
      if (data.room() <= spare) break;
      at += take_data(input.substr(at), data);
    } else {
      state_ = next(input[at++]);
    }
  }
  return at;
}

std::size_t ChunkedDecoder::take_data(std::string_view input, Pieces& data) {
  const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size()));
  data.add(input.substr(0, taken));
  size_ -= taken;
  if (size_ == 0) state_ = State::DataReturn;
  return taken;
}

ChunkedDecoder::State ChunkedDecoder::next(char c) {
  switch (state_) {
    case State::Size:
      return next_in_size(c);
    case State::AfterSize:
      if (c == ' ' || c == '\t') return State::AfterSize;
      if (c == ';') return State::Extension;
      return c == '\r' ? State::SizeEnd : State::Bad;
    case State::Extension:
      return next_in_line(c, State::Extension, State::SizeEnd);
    case State::SizeEnd:
      if (c != '\n') return State::Bad;
      digits_ = 0;
      overhead_ = 0;
      return size_ == 0 ? State::TrailerStart : State::Data;
    case State::Data:
      return State::Data;
    case State::DataReturn:
      return c == '\r' ? State::DataFeed : State::Bad;
    case State::DataFeed:
      return c == '\n' ? State::Size : State::Bad;
    case State::TrailerStart:
      return next_in_line(c, State::Trailer, State::LastFeed);
    case State::Trailer:
      return next_in_line(c, State::Trailer, State::TrailerFeed);
    case State::TrailerFeed:
      return c == '\n' ? State::TrailerStart : State::Bad;
    case State::LastFeed:
      return c == '\n' ? State::Done : State::Bad;
    case State::Done:
    case State::Bad:
      return state_;
  }
  return State::Bad;
}

ChunkedDecoder::State ChunkedDecoder::next_in_size(char c) {
  const int value = hex_value(c);
  if (value >= 0) {
    if (++digits_ > kMostDigits) return State::Bad;
    size_ = size_ * 16 + static_cast<unsigned>(value);
    return State::Size;
  }
  if (digits_ == 0) return State::Bad;
  if (c == '\r') return State::SizeEnd;
  if (c == ';') return State::Extension;
  return c == ' ' || c == '\t' ? State::AfterSize : State::Bad;
}

ChunkedDecoder::State ChunkedDecoder::next_in_line(char c, State stay, State at_return) {
  if (c == '\r') return at_return;
  if (is_control(c) || ++overhead_ > kMostOverhead) return State::Bad;
  return stay;
}

}  // namespace poolwarden::gateway
