#include "admin/connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "admin/answer.h"
#include "admin/event_stream.h"

namespace poolwarden::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
using Request = http::request<http::empty_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

template <typename Response>
void set_head(Response& response, const Answer& answer) {
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy",
               "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
               "connect-src 'self'");
  if (!answer.note.empty()) response.set("Poolwarden-Note", answer.note);
  if (answer.status == 405) response.set(http::field::allow, "GET, HEAD");
}

// Whether the answer went out; its body is used up. By reference, and never from a temporary: GCC
// 12 destroys aggregates twice that are made within a co_await expression.
asio::awaitable<bool> send(Stream& stream, Answer& answer, bool is_head, bool keep_alive) {
  stream.expires_after(kTimeout);
  const auto status = static_cast<http::status>(answer.status);
  if (is_head) {
    http::response<http::empty_body> response(status, 11);
    set_head(response, answer);
    response.content_length(answer.body.size());
    response.keep_alive(keep_alive);
    const auto [error, sent] = co_await http::async_write(stream, response, kAwait);
    co_return !error;
  }
  http::response<http::string_body> response(status, 11);
  set_head(response, answer);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  response.keep_alive(keep_alive);
  const auto [error, sent] = co_await http::async_write(stream, response, kAwait);
  co_return !error;
}

Question question_of(const Request& request) {
  return {.method = view(request.method_string()),
          .target = view(request.target()),
          .accept = view(request[http::field::accept])};
}

bool is_malformed(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

asio::awaitable<void> follow(Stream& stream, const Request& request, const AdminSources& sources,
                             Followers& followers) {
  if (followers.size() >= kMaxFollowers) {
    Answer refusal{503, "text/plain; charset=utf-8", "too many follow the events\n", ""};
    co_await send(stream, refusal, false, false);
    co_return;
  }
  const std::string seen(view(request["Last-Event-ID"]));
  const std::string pool = query_field(view(request.target()), "pool");
  const std::uint64_t after = number_or(seen, 0);
  co_await stream_events(stream, sources.journal, after, pool, followers);
}

}  // namespace

asio::awaitable<void> serve(Stream& stream, const AdminSources& sources, Followers& followers) {
  beast::flat_buffer buffer(kMaxHead);
  for (bool keep_alive = true; keep_alive;) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kMaxHead);
    stream.expires_after(kTimeout);
    const auto [error, read] = co_await http::async_read_header(stream, buffer, parser, kAwait);
    if (error) {
      if (is_malformed(error)) {
        Answer refusal{400, "text/plain; charset=utf-8", error.message() + "\n", ""};
        co_await send(stream, refusal, false, false);
      }
      co_return;
    }
    const Request& request = parser.get();
    const Question question = question_of(request);
    if (asks_for_event_stream(question)) {
      co_await follow(stream, request, sources, followers);
      co_return;
    }
    keep_alive = request.keep_alive() && parser.is_done();  // a body is not read
    const bool is_head = request.method() == http::verb::head;
    Answer reply = answer(question, sources);
    if (!co_await send(stream, reply, is_head, keep_alive)) co_return;
  }
}

}  // namespace poolwarden::admin
