#include "process/readiness.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

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

asio::awaitable<bool> connect(Stream& stream, const worker::Endpoint& endpoint) {
  stream.expires_after(kOneTry);
  const auto [error] =
      co_await stream.async_connect(address_of(endpoint), asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

}  // namespace

asio::awaitable<bool> accepts_connections(worker::Endpoint endpoint) {
  Stream stream(co_await asio::this_coro::executor);
  co_return co_await connect(stream, endpoint);
}

asio::awaitable<bool> answers_http(worker::Endpoint endpoint, std::string path) {
  Stream stream(co_await asio::this_coro::executor);
  if (!co_await connect(stream, endpoint)) co_return false;
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, "localhost");
  request.set(http::field::user_agent, "poolwarden");
  request.set(http::field::connection, "close");
  stream.expires_after(kOneTry);
  const auto [write_error, written] =
      co_await http::async_write(stream, request, asio::as_tuple(asio::use_awaitable));
  if (write_error) co_return false;
  boost::beast::flat_buffer buffer(kLargestHead);
  http::response_parser<http::empty_body> response;
  response.header_limit(kLargestHead);
  const auto [read_error, count] = co_await http::async_read_header(
      stream, buffer, response, asio::as_tuple(asio::use_awaitable));
  if (read_error) co_return false;
  const unsigned status = response.get().result_int();
  co_return status >= 200 && status < 400;
}

}  // namespace poolwarden::process
