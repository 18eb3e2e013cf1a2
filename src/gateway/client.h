// One client's connection, as all that serve it share it.

#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <string>
#include <string_view>

#include "gateway/field.h"
#include "gateway/io.h"
#include "gateway/watch.h"

namespace poolwarden::gateway {

inline constexpr std::size_t kInboxLimit = 2 * kMaxHead + 4096;
inline constexpr std::size_t kReadSize = 4096;          // for heads
inline constexpr std::size_t kBodyReadSize = kMaxHead;  // for bodies

inline std::string_view view(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.cdata().data()), buffer.size()};
}

struct Client {
  Client(Socket connected, std::string shown_address, const TimePoint& coarse_now)
      : socket(std::move(connected)),
        inbox(kInboxLimit),
        address(std::move(shown_address)),
        now(coarse_now) {}

  Socket socket;
  boost::beast::flat_buffer inbox;  // received and not yet used
  std::string address;              // for X-Forwarded-For: "192.0.2.1", "unix:"
  const TimePoint& now;             // as of the last sweep
  Watch reading;
  Watch writing;
  Cut cut = Cut::None;

  void cut_off(Cut why) {
    if (cut == Cut::None) cut = why;
  }
};

}  // namespace poolwarden::gateway
