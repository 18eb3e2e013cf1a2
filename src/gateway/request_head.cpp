#include "gateway/request_head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <charconv>

#include "gateway/request_target.h"

namespace poolwarden::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::string_view;

std::string_view plain(string_view text) { return {text.data(), text.size()}; }

// What the fields say beyond their grammar.
struct Facts {
  bool has_host = false, has_length = false, has_coding = false;
  std::string_view host, coding, upgrade, expect;
  std::optional<HeadError> error;

  void complain(std::string_view sentence, int status = 400) {
    if (!error) error = HeadError{status, dispatch::Reason::BadRequest, sentence};
  }
};

// The grammar is Beast's; it stores nothing, and its views stay good for as long as the bytes.
class Parser : public http::basic_parser<true> {
 public:
  Parser(RequestHead& head, Facts& facts) : head_(head), facts_(facts) {
    header_limit(static_cast<std::uint32_t>(kMaxHead) + 4);
    body_limit(boost::none);
  }

 private:
  using error_code = boost::system::error_code;

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = plain(method);
    head_.target = plain(target);
    head_.minor_version = version - 10;
  }

  void on_field_impl(http::field field, string_view name, string_view value, error_code&) override {
    head_.fields.push_back({note(field, plain(value)), plain(name), plain(value)});
  }

  FieldKind note(http::field field, std::string_view value);
  void note_length(std::string_view value);

  // What a request has not, and what is not reached: only heads are parsed.
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
  Facts& facts_;
};

void Parser::note_length(std::string_view value) {
  if (facts_.has_length) facts_.complain("Content-Length is given more than once.");
  facts_.has_length = true;
  const auto end = value.data() + value.size();
  const auto [parsed_to, error] = std::from_chars(value.data(), end, head_.length);
  if (value.empty() || error != std::errc{} || parsed_to != end) {
    facts_.complain("Content-Length is not a number.");
  }
}

FieldKind Parser::note(http::field field, std::string_view value) {
  // The names that a proxy must know; all others pass.
  if (field == http::field::host) {
    if (facts_.has_host) facts_.complain("Host is given more than once.");
    facts_.has_host = true;
    facts_.host = value;
    return FieldKind::Host;
  }
  if (field == http::field::content_length) {
    note_length(value);
    return FieldKind::ContentLength;
  }
  if (field == http::field::transfer_encoding) {
    facts_.has_coding = true;
    facts_.coding = value;
    return FieldKind::HopByHop;
  }
  if (field == http::field::connection) {
    head_.connection.add(value);
    return FieldKind::HopByHop;
  }
  if (field == http::field::upgrade) {
    facts_.upgrade = facts_.upgrade.empty() ? value : facts_.upgrade;
    return FieldKind::HopByHop;
  }
  if (field == http::field::expect) {
    facts_.expect = value;
    return FieldKind::HopByHop;
  }
  if (field == http::field::keep_alive || field == http::field::proxy_connection ||
      field == http::field::te || field == http::field::trailer ||
      field == http::field::http2_settings) {
    return FieldKind::HopByHop;
  }
  return FieldKind::EndToEnd;
}

// Names that Beast has no number for.
void recognize_forwarding(RequestHead& head) {
  for (Field& field : head.fields) {
    if (field.kind != FieldKind::EndToEnd || field.name.size() < 12 ||
        (field.name[0] | 0x20) != 'x') {
      continue;
    }
    if (equal_ignoring_case(field.name, "X-Forwarded-For")) field.kind = FieldKind::ForwardedFor;
    if (equal_ignoring_case(field.name, "X-Forwarded-Proto"))
      field.kind = FieldKind::ForwardedProto;
    if (equal_ignoring_case(field.name, "X-Forwarded-Host")) field.kind = FieldKind::ForwardedHost;
    if (equal_ignoring_case(field.name, "X-Request-Id")) {
      field.kind = field.value.empty() ? FieldKind::HopByHop : FieldKind::RequestId;
      head.request_id = field.value;
    }
  }
}

HeadError explain(const boost::system::error_code& error, std::string_view bytes) {
  const auto bad = [](std::string_view sentence, int status = 400) {
    return HeadError{status, dispatch::Reason::BadRequest, sentence};
  };
  if (error == http::error::header_limit) {
    return {431, dispatch::Reason::HeadTooLarge, "The request's head is larger than 64 KiB."};
  }
  if (error == http::error::bad_version) {
    const std::size_t version = bytes.substr(0, bytes.find('\r')).rfind(" HTTP/");
    const bool other_major = version != std::string_view::npos && version + 6 < bytes.size() &&
                             bytes[version + 6] != '1' && bytes[version + 6] >= '0' &&
                             bytes[version + 6] <= '9';
    return bad("Only HTTP/1.0 and HTTP/1.1 are spoken here.", other_major ? 505 : 400);
  }
  if (error == http::error::bad_content_length || error == http::error::multiple_content_length) {
    return bad("Content-Length is malformed or contradicts another field.");
  }
  if (error == http::error::bad_transfer_encoding) {
    return bad("Transfer-Encoding contradicts another field.");
  }
  return bad("The request's head is malformed.");
}

void judge_framing(RequestHead& head, Facts& facts) {
  if (facts.has_coding && facts.has_length) {
    facts.complain("Both Content-Length and Transfer-Encoding are given.");
  } else if (facts.has_coding && head.minor_version == 0) {
    facts.complain("HTTP/1.0 has no Transfer-Encoding.");
  } else if (facts.has_coding && !equal_ignoring_case(facts.coding, "chunked")) {
    facts.complain("The only transfer coding spoken here is chunked.", 501);
  }
  head.framing = facts.has_coding   ? Framing::Chunked
                 : facts.has_length ? Framing::Length
                                    : Framing::None;
}

void judge(RequestHead& head, Facts& facts) {
  judge_framing(head, facts);
  if (!facts.has_host && head.minor_version == 1) facts.complain("Host is missing.");
  if (head.method == "CONNECT") facts.complain("CONNECT is not served here.");
  head.host = facts.host;
  if (!facts.error && !resolve_target(head)) facts.complain("The request's target is malformed.");
  if (!is_host(head.host)) facts.complain("Host is malformed.");
  head.expects_continue =
      head.minor_version == 1 && equal_ignoring_case(facts.expect, "100-continue");
  // h2c would be HTTP/2 in the tunnel, with none of what is done for requests here.
  bool offers_h2c = false;
  for_each_element(facts.upgrade, [&](std::string_view protocol) {
    offers_h2c |= equal_ignoring_case(protocol, "h2c");
  });
  const bool upgrades = head.connection.upgrade && head.minor_version == 1 && !offers_h2c &&
                        (head.framing == Framing::None || head.length == 0) &&
                        head.framing != Framing::Chunked;
  head.upgrade = upgrades ? facts.upgrade : std::string_view{};
}

}  // namespace

std::optional<HeadError> parse_request_head(std::string_view bytes, RequestHead& head) {
  head.fields.clear();
  head.connection.reset();
  head.method = head.target = head.path = head.host = head.upgrade = head.request_id = {};
  head.length = 0;

  Facts facts;
  Parser parser(head, facts);
  boost::system::error_code error;
  parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error) return explain(error, bytes);
  if (!parser.is_header_done()) {
    return HeadError{400, dispatch::Reason::BadRequest, "The request's head is incomplete."};
  }
  judge(head, facts);
  recognize_forwarding(head);
  return facts.error;
}

}  // namespace poolwarden::gateway
