// One connection to the admin address: requests are read and answered one after the other.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <chrono>
#include <set>

#include "admin/sources.h"
#include "base/clock.h"

namespace poolwarden::admin {

using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol,
                                          boost::asio::io_context::executor_type>;

inline constexpr std::chrono::seconds kTimeout{10};  // for each request and each answer
inline constexpr std::size_t kMaxHead = 8 * 1024;
inline constexpr std::size_t kMaxFollowers = 16;  // event streams; the rest is for scrapes

using WakeTimer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                                    boost::asio::io_context::executor_type>;

// What wakes the event streams of all connections; one that wakes and finds its stream closed ends.
using Followers = std::set<WakeTimer*>;

// Ends when the peer or a time-out says so.
boost::asio::awaitable<void> serve(Stream& stream, const AdminSources& sources,
                                   Followers& followers);

}  // namespace poolwarden::admin
