// Heads of workers' responses, and what clients get of them.

#include "gateway/response_head.h"

#include <gtest/gtest.h>

namespace poolwarden::gateway {
namespace {

bool accepted(const std::string& bytes) {
  ResponseHead head;
  return !parse_response_head(bytes, head).has_value();
}

TEST(ResponseHead, IsAcceptedOrRejected) {
  EXPECT_TRUE(accepted("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_TRUE(accepted("HTTP/1.0 200 OK\r\n\r\n"));
  EXPECT_TRUE(accepted("HTTP/1.1 200 \r\n\r\n"));
  EXPECT_TRUE(accepted("HTTP/1.1 599 What\r\nContent-Length: 5, 5\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/2.0 200 OK\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 99 OK\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 600 OK\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 OK\r\n\r\n"));
  EXPECT_FALSE(accepted("Content-Type: text/html\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"));
  EXPECT_FALSE(
      accepted("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(accepted("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"));
}

ResponseHead parsed(const std::string& bytes) {
  ResponseHead head;
  EXPECT_FALSE(parse_response_head(bytes, head).has_value());
  return head;
}

TEST(ResponseHead, KnowsHowItsBodyEnds) {
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), false),
            Framing::Length);
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), false),
            Framing::Chunked);
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 200 OK\r\n\r\n"), false), Framing::UntilEof);
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true),
            Framing::None);
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 204 No\r\n\r\n"), false), Framing::None);
  EXPECT_EQ(body_framing(parsed("HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n"), false),
            Framing::None);
}

TEST(ClientHead, PassesFieldsAndStripsWhatIsMeantForThisHop) {
  const std::string bytes =
      "HTTP/1.0 200 Fine\r\nServer: s\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n"
      "Keep-Alive: timeout=5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 5\r\n\r\n";
  std::string out;
  write_client_head(parsed(bytes), {.request_id = "id"}, out);
  EXPECT_EQ(out,
            "HTTP/1.1 200 Fine\r\nServer: s\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
            "Content-Length: 5\r\nX-Request-Id: id\r\n\r\n");
}

TEST(ClientHead, SaysHowTheBodyAndTheConnectionEnd) {
  std::string out;
  write_client_head(parsed("HTTP/1.1 200 OK\r\nX-Request-Id: w\r\n\r\n"),
                    {.chunked = true, .close = true, .request_id = "id"}, out);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nX-Request-Id: w\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace poolwarden::gateway
