// The gateway's own answers.

#include "gateway/error_page.h"

#include <gtest/gtest.h>

namespace poolwarden::gateway {
namespace {

TEST(ErrorPage, SaysWhyAndForHowLong) {
  const std::string page = write_error_page({.status = 503,
                                             .reason = dispatch::Reason::RapidFail,
                                             .sentence = "It failed.",
                                             .retry_after_seconds = 30,
                                             .request_id = "id",
                                             .close = true});
  const std::string body = "503 Service Unavailable\nIt failed.\nreason: rapid_fail\nrequest: id\n";
  EXPECT_EQ(page,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\nX-Poolwarden-Reason: rapid_fail\r\nRetry-After: 30\r\n"
            "X-Request-Id: id\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
}

TEST(ErrorPage, HasNoBodyForHead) {
  const std::string page = write_error_page({.status = 404,
                                             .reason = dispatch::Reason::NoRoute,
                                             .sentence = "Nothing here.",
                                             .without_body = true});
  EXPECT_TRUE(page.ends_with("\r\n\r\n"));
  EXPECT_EQ(page.find("Content-Length: 0"), std::string::npos);
}

TEST(ErrorPage, HasASentenceForEachReason) {
  for (std::size_t i = 0; i < dispatch::kReasons; ++i) {
    EXPECT_GT(sentence_of(static_cast<dispatch::Reason>(i)).size(), 10u);
  }
}

}  // namespace
}  // namespace poolwarden::gateway
