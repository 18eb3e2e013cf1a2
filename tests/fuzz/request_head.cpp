// Heads of requests as clients send them and of responses as workers do, taken as the gateway takes
// them: as soon as the scanner has found their end, whatever pieces they come in.

#include "gateway/request_head.h"

#include "fuzz/check.h"
#include "gateway/head_scanner.h"
#include "gateway/response_head.h"

namespace poolwarden::fuzz {
namespace {

using gateway::HeadScanner;

// The first byte says how large the pieces are.
HeadScanner::Found scan(HeadScanner& scanner, std::string_view bytes, std::size_t piece) {
  HeadScanner::Found found = HeadScanner::Found::More;
  for (std::size_t end = piece; found == HeadScanner::Found::More; end += piece) {
    found = scanner.scan(bytes.substr(0, end));
    if (end >= bytes.size()) break;
  }
  return found;
}

void read_request(std::string_view bytes) {
  gateway::RequestHead head;
  if (gateway::parse_request_head(bytes, head)) return;
  check(!head.method.empty() && !head.path.empty(), "a request has a method and a path");
  check(head.target.find_first_of(" \r\n\t") == std::string_view::npos, "a target is one word");
  check(head.target == "*" || head.target.front() == '/', "a target is in origin form");
  check(head.framing != gateway::Framing::UntilEof, "a request ends where it says");
}

void read_response(std::string_view bytes) {
  gateway::ResponseHead head;
  if (gateway::parse_response_head(bytes, head)) return;
  check(head.status >= 100 && head.status <= 999, "a status has three digits");
  std::string out;
  gateway::write_client_head(head, {}, out);
  HeadScanner scanner;
  check(scanner.scan(out) == HeadScanner::Found::End, "what is passed on is one head");
  check(scanner.length() == out.size(), "and nothing behind it");
}

}  // namespace
}  // namespace poolwarden::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  gateway::HeadScanner in_pieces, at_once;
  const auto found = fuzz::scan(in_pieces, bytes, 1 + data[0] % 16);
  fuzz::check(found == at_once.scan(bytes), "pieces make no difference");
  if (found != gateway::HeadScanner::Found::End) return 0;
  fuzz::check(in_pieces.length() == at_once.length(), "nor to its length");
  fuzz::read_request(bytes.substr(0, at_once.length()));
  fuzz::read_response(bytes.substr(0, at_once.length()));
  return 0;
}
