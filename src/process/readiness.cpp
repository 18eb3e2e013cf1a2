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

constexpr std::chrono::seconds kOneTry{5};
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

struct Answer {
  boost::system::error_code error;
  unsigned status = 0;
  std::string breach;
};

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

asio::awaitable<Answer> get(worker::Endpoint endpoint, std::string path, Duration limit) {
  Stream stream(co_await asio::this_coro::executor);
  Answer answer;
  answer.error = co_await connect(stream, endpoint, limit);
  if (answer.error) co_return answer;
  const auto request = request_for(path);
  const auto [write_error, written] =
      co_await http::async_write(stream, request, asio::as_tuple(asio::use_awaitable));
  answer.error = write_error;
  if (write_error) co_return answer;
  boost::beast::flat_buffer buffer(kLargestHead);
  http::response_parser<http::empty_body> response;
  response.header_limit(kLargestHead);
  const auto [read_error, count] = co_await http::async_read_header(
      stream, buffer, response, asio::as_tuple(asio::use_awaitable));
  answer.error = read_error;
  answer.breach = breach_of(read_error, buffer);
  if (!read_error) answer.status = response.get().result_int();
  co_return answer;
}

}  // namespace

asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint) {
  Stream stream(co_await asio::this_coro::executor);
  const auto error = co_await connect(stream, endpoint, kOneTry);
  co_return !error;
}

asio::awaitable<HttpAnswer> answers_http(worker::Endpoint endpoint, std::string path) {
  const Answer answer = co_await get(endpoint, path, kOneTry);
  HttpAnswer found;
  found.is_ready = answer.status >= 200 && answer.status < 400;
  found.breach = answer.breach;
  co_return found;
}

asio::awaitable<worker::PingResult> ping_http(worker::Endpoint endpoint, std::string path,
                                              Duration limit) {
  const Answer answer = co_await get(endpoint, path, limit);
  if (answer.error == boost::beast::error::timeout) co_return worker::PingResult::TimedOut;
  if (answer.error) co_return worker::PingResult::Io;
  co_return answer.status < 400 ? worker::PingResult::Answered : worker::PingResult::BadStatus;
}

}  // namespace poolwarden::process
