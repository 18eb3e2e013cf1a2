#include "gateway/response_head.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>

namespace poolwarden::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::string_view;

std::string_view plain(string_view text) { return {text.data(), text.size()}; }

class Parser : public http::basic_parser<false> {
 public:
  explicit Parser(ResponseHead& head) : head_(head) {
    header_limit(static_cast<std::uint32_t>(kMaxHead) + 4);
    body_limit(boost::none);
  }

  std::string_view coding;

 private:
  using error_code = boost::system::error_code;

  void on_response_impl(int status, string_view reason, int version, error_code&) override {
    head_.status = status;
    head_.reason = plain(reason);
    head_.minor_version = version - 10;
  }

  void on_field_impl(http::field field, string_view name, string_view value, error_code&) override {
    head_.fields.push_back({note(field, plain(value)), plain(name), plain(value)});
  }

  FieldKind note(http::field field, std::string_view value) {
    if (field == http::field::content_length) {
      note_length(value);
      return FieldKind::ContentLength;
    }
    if (field == http::field::transfer_encoding) {
      coding = value;
      return FieldKind::HopByHop;
    }
    if (field == http::field::connection) {
      head_.connection.add(value);
      return FieldKind::HopByHop;
    }
    if (field == http::field::upgrade) {
      head_.upgrade = value;
      return FieldKind::HopByHop;
    }
    if (field == http::field::keep_alive || field == http::field::proxy_connection ||
        field == http::field::te || field == http::field::trailer) {
      return FieldKind::HopByHop;
    }
    return FieldKind::EndToEnd;
  }

  // Beast has rejected what is no number and what differs; a list of equals is one.
  void note_length(std::string_view value) {
    std::uint64_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    head_.length = length;
  }

  // What a response has not, and what is not reached: only heads are parsed.
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  ResponseHead& head_;
};

void add_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void add_number(std::string& out, std::uint64_t number) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

std::optional<HeadError> parse_response_head(std::string_view bytes, ResponseHead& head) {
  head.fields.clear();
  head.connection.reset();
  head.length.reset();
  head.upgrade = {};
  head.has_request_id = false;

  const auto bad = [](std::string_view sentence) {
    return HeadError{502, dispatch::Reason::BadResponse, sentence};
  };
  Parser parser(head);
  boost::system::error_code error;
  parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error || !parser.is_header_done()) return bad("The worker's answer is not HTTP/1.1.");
  if (head.status < 100 || head.status > 599) return bad("The worker's status is out of range.");
  if (!parser.coding.empty() && !equal_ignoring_case(parser.coding, "chunked")) {
    return bad("The worker used a transfer coding that is not spoken here.");
  }
  head.framing = !parser.coding.empty() ? Framing::Chunked
                 : head.length          ? Framing::Length
                                        : Framing::UntilEof;
  for (const Field& field : head.fields) {
    head.has_request_id |= equal_ignoring_case(field.name, "X-Request-Id");
  }
  return std::nullopt;
}

Framing body_framing(const ResponseHead& head, bool request_was_head) {
  const bool without =
      request_was_head || head.is_interim() || head.status == 204 || head.status == 304;
  return without ? Framing::None : head.framing;
}

void write_client_head(const ResponseHead& head, const ClientHead& client, std::string& out) {
  out.append("HTTP/1.1 ");
  add_number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ").append(head.reason).append("\r\n");
  for (const Field& field : head.fields) {
    const bool passes = field.kind == FieldKind::EndToEnd && !head.connection.names(field.name);
    if (passes) add_field(out, field.name, field.value);
  }
  const bool length_applies =
      head.framing == Framing::Length && !head.is_interim() && head.status != 204;
  if (length_applies) {
    out.append("Content-Length: ");
    add_number(out, *head.length);
    out.append("\r\n");
  }
  if (client.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (head.status == 101) {
    out.append("Connection: upgrade\r\n");
    if (!head.upgrade.empty()) add_field(out, "Upgrade", head.upgrade);
  } else if (client.close) {
    out.append("Connection: close\r\n");
  } else if (client.keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  if (!head.has_request_id && !head.is_interim()) add_field(out, "X-Request-Id", client.request_id);
  out.append("\r\n");
}

}  // namespace poolwarden::gateway
