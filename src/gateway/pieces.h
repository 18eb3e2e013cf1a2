// Places in memory that are sent as one: what sendmsg(2) gathers. Views only.

#pragma once

#include <sys/uio.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <string_view>

namespace poolwarden::gateway {

class Pieces {
 public:
  static constexpr std::size_t kMost = 32;

  Pieces() = default;  // leaves the places as they are: only the first count() are ever read

  void add(std::string_view piece) {
    if (piece.empty()) return;
    assert(count_ < kMost);
    places_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
    bytes_ += piece.size();
  }
  void add(const Pieces& other) {
    for (std::size_t i = other.first_; i < other.count_; ++i) add(other.view(i));
  }

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::size_t room() const { return kMost - count_; }

  iovec* places() { return &places_[first_]; }
  std::size_t count() const { return count_ - first_; }

  // The first `sent` bytes are done with.
  void advance(std::size_t sent) {
    assert(sent <= bytes_);
    bytes_ -= sent;
    while (sent != 0) {
      iovec& place = places_[first_];
      if (sent < place.iov_len) {
        place.iov_base = static_cast<char*>(place.iov_base) + sent;
        place.iov_len -= sent;
        return;
      }
      sent -= place.iov_len;
      ++first_;
    }
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = first_; i < count_; ++i) visit(view(i));
  }

 private:
  std::string_view view(std::size_t i) const {
    return {static_cast<const char*>(places_[i].iov_base), places_[i].iov_len};
  }

  std::array<iovec, kMost> places_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace poolwarden::gateway
