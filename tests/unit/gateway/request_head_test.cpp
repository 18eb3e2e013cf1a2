// Heads of requests: what is accepted and what is rejected.

#include "gateway/request_head.h"

#include <gtest/gtest.h>

#include "gateway/head_scanner.h"
#include "gateway/upstream_head.h"

namespace poolwarden::gateway {
namespace {

// 0: accepted. As a session does it: first the scanner, then the parser.
int verdict(const std::string& bytes) {
  HeadScanner scanner;
  const HeadScanner::Found found = scanner.scan(bytes);
  if (found == HeadScanner::Found::More) return -1;
  if (found != HeadScanner::Found::End) return 400;
  RequestHead head;
  const auto error = parse_request_head(std::string_view(bytes).substr(0, scanner.length()), head);
  return error ? error->status : 0;
}

std::string nul(std::string text) {
  std::replace(text.begin(), text.end(), '@', '\0');
  return text;
}

TEST(RequestHead, IsAcceptedOrRejected) {
  const std::pair<std::string, int> cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"GET / HTTP/1.0\r\n\r\n", 0},
      {"GET /a?b=c HTTP/1.1\r\nHost: a:80\r\n\r\n", 0},
      {"GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \ta b \t\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\n\r\n", 0},
      // Framing that two readers could take differently.
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 4\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
       "chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
       400},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400},
      // Bytes that do not belong into a head.
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n", 400},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
      {nul("GET / HTTP/1.1\r\nHost: a\r\nX: 1@2\r\n\r\n"), 400},
      {nul("GET /@ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX\x01Y: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n", 400},
      // Host.
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      // The request line.
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET /\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"\x16\x03\x01\x02\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n", -1},
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(verdict(bytes), expected) << ::testing::PrintToString(bytes);
  }
}

RequestHead parsed(const std::string& bytes) {
  RequestHead head;
  EXPECT_FALSE(parse_request_head(bytes, head).has_value());
  return head;
}

TEST(RequestHead, KnowsWhatAnAbsoluteTargetMeans) {
  const std::string bytes = "GET http://b.org:81?x HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHead head;
  ASSERT_FALSE(parse_request_head(bytes, head));
  EXPECT_EQ(head.host, "b.org:81");
  EXPECT_EQ(head.target, "/?x");
  EXPECT_EQ(head.path, "/");
  std::string out;
  write_upstream_head(head, "192.0.2.1", "id", out);
  EXPECT_TRUE(out.starts_with("GET /?x HTTP/1.1\r\nHost: b.org:81\r\n")) << out;
}

TEST(RequestHead, KnowsWhoKeepsTheConnection) {
  EXPECT_TRUE(parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n").wants_keep_alive());
  EXPECT_FALSE(
      parsed("GET / HTTP/1.1\r\nHost: a\r\nConnection: X, Close\r\n\r\n").wants_keep_alive());
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").wants_keep_alive());
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").wants_keep_alive());
}

std::string as_sent(const std::string& bytes) {
  RequestHead head;
  EXPECT_FALSE(parse_request_head(bytes, head).has_value());
  std::string out;
  write_upstream_head(head, "192.0.2.1", "0123", out);
  return out;
}

TEST(UpstreamHead, PassesFieldsAndAddsForwarding) {
  EXPECT_EQ(as_sent("GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nTraceparent: 00-1\r\n\r\n"),
            "GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nTraceparent: 00-1\r\n"
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
            "X-Request-Id: 0123\r\n\r\n");
}

TEST(UpstreamHead, ContinuesForwardingThatHasBegun) {
  EXPECT_EQ(as_sent("GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nx-forwarded-for: 2\r\n"
                    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Request-Id: mine\r\n"
                    "\r\n"),
            "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n"
            "X-Request-Id: mine\r\nX-Forwarded-For: 1, 2, 192.0.2.1\r\n\r\n");
}

TEST(UpstreamHead, StripsWhatIsMeantForThisHop) {
  EXPECT_EQ(as_sent("POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\n"
                    "Keep-Alive: timeout=5\r\nX-Hop: 1\r\nTE: trailers\r\nTrailer: X\r\n"
                    "Proxy-Connection: close\r\nExpect: 100-continue\r\nUpgrade: websocket\r\n"
                    "Proxy-Authorization: b\r\nContent-Length: 5\r\nX-Request-Id: i\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nProxy-Authorization: b\r\nX-Request-Id: i\r\n"
            "Content-Length: 5\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: a\r\n\r\n");
}

TEST(UpstreamHead, PassesAnUpgradeButNotToHttp2) {
  const std::string websocket =
      as_sent("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_TRUE(websocket.ends_with("Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
  const std::string h2c = as_sent(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMA\r\n\r\n");
  EXPECT_EQ(h2c.find("pgrade"), std::string::npos);
  EXPECT_EQ(h2c.find("HTTP2"), std::string::npos);
}

TEST(UpstreamHead, GivesHttp10RequestsAHost) {
  EXPECT_TRUE(
      as_sent("GET / HTTP/1.0\r\n\r\n").starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n"));
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesArrive) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  HeadScanner scanner;
  for (std::size_t count = 1; count < 27; ++count) {
    ASSERT_EQ(scanner.scan(bytes.substr(0, count)), HeadScanner::Found::More) << count;
  }
  EXPECT_EQ(scanner.scan(bytes), HeadScanner::Found::End);
  EXPECT_EQ(scanner.length(), 27u);
}

}  // namespace
}  // namespace poolwarden::gateway
