#include "sample/exchange.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <utility>

#include "base/units.h"

namespace poolwarden::sample {
namespace {

constexpr std::size_t kPart = std::size_t{64} * 1024;

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::map<std::string, std::string> parse_query(std::string_view text) {
  std::map<std::string, std::string> query;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    query[percent_decoded(pair.substr(0, equals))] = percent_decoded(value);
  }
  return query;
}

}  // namespace

Exchange::Exchange(Socket& socket, beast::flat_buffer& buffer, RequestParser& parser,
                   const bool& stopping)
    : socket_(socket), buffer_(buffer), parser_(parser), stopping_(stopping) {
  const std::string_view target = request().target();
  const std::size_t question = std::min(target.find('?'), target.size());
  path_ = percent_decoded(target.substr(0, question));
  query_ = parse_query(target.substr(std::min(question + 1, target.size())));
  continued_ = !beast::iequals(request()[http::field::expect], "100-continue");
}

std::string Exchange::parameter(const std::string& name, const std::string& otherwise) const {
  const auto found = query_.find(name);
  return found == query_.end() ? otherwise : found->second;
}

std::uint64_t Exchange::number(const std::string& name, std::uint64_t otherwise) const {
  const std::string text = parameter(name, "");
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

std::chrono::nanoseconds Exchange::duration(const std::string& name, const std::string& unit,
                                            const std::string& otherwise) const {
  std::string text = parameter(name, otherwise);
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos) text += unit;
  const Result<Duration> parsed = parse_finite_duration(text);
  return parsed ? *parsed : Duration::zero();
}

Task<void> Exchange::promise_to_read() {
  if (std::exchange(continued_, true)) co_return;
  const http::response<http::empty_body> go_on(http::status::continue_, 11);
  co_await http::async_write(socket_, go_on, kUseTask);
}

Task<std::string_view> Exchange::read_body() {
  if (parser_.is_done()) co_return std::string_view();
  co_await promise_to_read();
  part_.resize(kPart);
  http::buffer_body::value_type& body = parser_.get().body();
  while (!parser_.is_done()) {
    body.data = part_.data();
    body.size = part_.size();
    const auto [error, ignored] =
        co_await http::async_read_some(socket_, buffer_, parser_, asio::as_tuple(kUseTask));
    if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
    const std::size_t read = part_.size() - body.size;
    if (read > 0) co_return std::string_view(part_.data(), read);
  }
  co_return std::string_view();
}

Task<void> Exchange::discard_body() {
  // A client that still waits for 100 Continue is told the outcome instead, and keeps its body.
  if (!continued_) co_return;
  for (;;) {
    const std::string_view part = co_await read_body();
    if (part.empty()) co_return;
  }
}

http::response_header<> Exchange::head(unsigned code, std::string_view type) const {
  http::response_header<> head;
  head.version(11);
  head.result(code);
  head.set(http::field::server, "poolwarden-sample");
  if (!type.empty()) head.set(http::field::content_type, type);
  if (!keep_alive()) head.set(http::field::connection, "close");
  return head;
}

Task<void> Exchange::answer(unsigned code, std::string_view type, std::string_view body) {
  co_await discard_body();
  const bool no_body = code < 200 || code == 204 || code == 304;
  if (no_body || request().method() == http::verb::head) {
    http::response<http::empty_body> response(head(code, type));
    if (!no_body) response.content_length(body.size());
    co_await http::async_write(socket_, response, kUseTask);
  } else {
    http::response<http::string_body> response(head(code, type), body);
    response.content_length(body.size());
    co_await http::async_write(socket_, response, kUseTask);
  }
}

Task<void> Exchange::begin(std::string_view type, std::optional<std::uint64_t> length) {
  http::response<http::empty_body> response(head(200, type));
  chunked_ = !length;
  if (length) {
    response.content_length(*length);
  } else {
    response.chunked(true);
  }
  http::response_serializer<http::empty_body> serializer(response);
  co_await http::async_write_header(socket_, serializer, kUseTask);
}

Task<void> Exchange::write(std::string_view part) {
  if (part.empty() || request().method() == http::verb::head) co_return;
  const asio::const_buffer bytes(part.data(), part.size());
  if (chunked_) {
    co_await asio::async_write(socket_, http::make_chunk(bytes), kUseTask);
  } else {
    co_await asio::async_write(socket_, bytes, kUseTask);
  }
}

Task<void> Exchange::end() {
  if (!chunked_ || request().method() == http::verb::head) co_return;
  co_await asio::async_write(socket_, http::make_chunk_last(), kUseTask);
}

}  // namespace poolwarden::sample
