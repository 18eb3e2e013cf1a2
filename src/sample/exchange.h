// One request and its answer, on a connection that stays open for the next one.

#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace poolwarden::sample {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Executor = asio::io_context::executor_type;
using Protocol = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Protocol, Executor>;
using Acceptor = asio::basic_socket_acceptor<Protocol, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
template <typename T>
using Task = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> kUseTask;

using RequestParser = http::request_parser<http::buffer_body>;
using Request = RequestParser::value_type;

// A failed read or write throws boost::system::system_error: the connection is over, and whoever
// serves it takes that as its end.
class Exchange {
 public:
  // `parser` has read the head of the request and nothing of its body.
  Exchange(Socket& socket, beast::flat_buffer& buffer, RequestParser& parser, const bool& stopping);

  const Request& request() const { return parser_.get(); }
  const std::string& path() const { return path_; }
  Socket& socket() { return socket_; }

  // Of the query string. Text that cannot be read as what is asked for gives the default, as this
  // worker has nobody to complain to.
  std::string parameter(const std::string& name, const std::string& otherwise) const;
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) const;
  // `unit` belongs to a bare number: seconds=2, interval=50.
  std::chrono::nanoseconds duration(const std::string& name, const std::string& unit,
                                    const std::string& otherwise) const;

  // The next part of the request's body, empty at its end; valid until the next call.
  Task<std::string_view> read_body();

  // The whole answer at once; reads what is left of the request's body first.
  Task<void> answer(unsigned code, std::string_view type, std::string_view body);

  // Or in parts: begin, any number of write, end. Without a length the body is chunked.
  Task<void> begin(std::string_view type, std::optional<std::uint64_t> length);
  Task<void> write(std::string_view part);
  Task<void> end();

  // Whether the connection may carry another request.
  bool keep_alive() const { return !stopping_ && continued_ && request().keep_alive(); }

 private:
  Task<void> discard_body();
  Task<void> promise_to_read();
  http::response_header<> head(unsigned code, std::string_view type) const;

  Socket& socket_;
  beast::flat_buffer& buffer_;
  RequestParser& parser_;
  const bool& stopping_;    // of the whole worker; may change while this request is answered
  bool continued_ = false;  // 100 Continue was sent, or never asked for
  bool chunked_ = false;
  std::string path_;
  std::map<std::string, std::string> query_;
  std::string part_;
};

}  // namespace poolwarden::sample
