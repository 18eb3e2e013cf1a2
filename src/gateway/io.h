// The kinds of Asio objects that the gateway is made of. It has one thread, and names its
// executor's type, so that nothing on the path of a request is type-erased or locked.

#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"

namespace poolwarden::gateway {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;
template <typename T = void>
using Task = asio::awaitable<T, Executor>;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

// GCC 12 awaits the right side of && and ?: in some expressions whatever the left side says:
// co_await stands in a statement of its own here.
//
// co_await an operation with it: a tuple that begins with the error, nothing thrown.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> as_result{
    asio::use_awaitable_t<Executor>{}};

}  // namespace poolwarden::gateway
