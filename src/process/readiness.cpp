#include "process/readiness.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "base/clean_text.h"
#include "base/match.h"

namespace poolwarden::process {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

using Stream = boost::beast::basic_stream<asio::generic::stream_protocol, asio::any_io_executor>;

constexpr std::uint32_t kLargestHead = 16 * 1024;

asio::generic::stream_protocol::endpoint address_of(const worker::Endpoint& endpoint) {
  return std::visit(
      Match{[](const worker::UnixEndpoint& at) -> asio::generic::stream_protocol::endpoint {
              return asio::local::stream_protocol::endpoint(at.path);
            },
            [](const worker::TcpEndpoint& at) -> asio::generic::stream_protocol::endpoint {
              return asio::ip::tcp::endpoint(asio::ip::make_address(at.host), at.port);
            }},
      endpoint);
}

// Of all that follows on the stream, until it is set again.
asio::awaitable<boost::system::error_code> connect(Stream& stream, worker::Endpoint endpoint,
                                                   Duration limit) {
  stream.expires_after(limit);
  const auto [error] =
      co_await stream.async_connect(address_of(endpoint), asio::as_tuple(asio::use_awaitable));
  co_return error;
}

http::request<http::empty_body> request_for(const std::string& path) {
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::user_agent, "poolwarden");
  request.set(http::field::connection, "close");
  return request;
}

// What cannot be understood is still there; an answer that stops half-way is no breach.
std::string breach_of(const boost::system::error_code& error,
                      const boost::beast::flat_buffer& unread) {
  constexpr std::size_t kMost = 80;
  const boost::system::error_code of_http = http::error::bad_version;
  const bool is_breach = error.category() == of_http.category() &&
                         error != http::error::end_of_stream &&
                         error != http::error::partial_message;
  if (!is_breach) return "";
  const auto bytes = unread.data();
  return escaped({static_cast<const char*>(bytes.data()), std::min(bytes.size(), kMost)});
}

void note(const boost::system::error_code& error, HttpAnswer& answer) {
  answer.is_late = error == boost::beast::error::timeout;
  if (error) answer.error = answer.is_late ? "no answer in time" : error.message();
}

}  // namespace

asio::awaitable<HttpAnswer> ask_http(worker::Endpoint endpoint, std::string path, Duration limit) {
  Stream stream(co_await asio::this_coro::executor);
  HttpAnswer answer;
  const auto connect_error = co_await connect(stream, endpoint, limit);
  note(connect_error, answer);
  if (connect_error) co_return answer;
  const auto request = request_for(path);
  const auto [write_error, written] =
      co_await http::async_write(stream, request, asio::as_tuple(asio::use_awaitable));
  note(write_error, answer);
  if (write_error) co_return answer;
  boost::beast::flat_buffer buffer(kLargestHead);
  http::response_parser<http::empty_body> response;
  response.header_limit(kLargestHead);
  const auto [read_error, count] = co_await http::async_read_header(
      stream, buffer, response, asio::as_tuple(asio::use_awaitable));
  note(read_error, answer);
  answer.was_answered = count > 0 || buffer.size() > 0;
  answer.breach = breach_of(read_error, buffer);
  if (!read_error) answer.status = static_cast<int>(response.get().result_int());
  co_return answer;
}

asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint) {
  Stream stream(co_await asio::this_coro::executor);
  const auto error = co_await connect(stream, endpoint, kOneTry);
  co_return !error;
}

worker::PingResult HttpAnswer::as_ping() const {
  if (is_late) return worker::PingResult::TimedOut;
  if (status == 0) return worker::PingResult::Io;
  return status < 400 ? worker::PingResult::Answered : worker::PingResult::BadStatus;
}

void ProbeRecord::add(const std::string& path, const HttpAnswer& answer) {
  if (!told_ || told_->path != path) told_ = diagnosis::ProbeAnswer{path, 0, "", false};
  if (answer.status != 0) told_->status = answer.status;
  told_->error = answer.error;
  told_->was_answered |= answer.was_answered;
  breach_ = answer.breach;
}

}  // namespace poolwarden::process
