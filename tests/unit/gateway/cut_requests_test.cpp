// Requests that end without their answer, and when they are told.

#include "gateway/cut_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden::gateway {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using worker::WorkerId;

struct CutRequestsTest : testing::Test {
  void note(const std::string& path) { cuts.note({WorkerId{1}, "GET", path, 1s}, now, tell); }
  std::vector<std::string> told;
  Tell tell = [this](const link::ToSupervisor& message) {
    told.push_back(std::get<link::RequestCutShort>(message).path);
  };
  TimePoint now{1h};
  CutRequests cuts;
};

TEST_F(CutRequestsTest, AreToldWhenTheirWorkerHasEnded) {
  note("/a");
  EXPECT_THAT(told, IsEmpty());
  cuts.release(now + 1s, tell);
  EXPECT_THAT(told, ElementsAre("/a"));
  note("/b");
  EXPECT_THAT(told, ElementsAre("/a", "/b")) << "a session that notices it later";
}

TEST_F(CutRequestsTest, OfLongBeforeHaveAnotherReason) {
  note("/old");
  now += 6s;
  note("/new");
  cuts.release(now, tell);
  EXPECT_THAT(told, ElementsAre("/new"));
}

TEST_F(CutRequestsTest, AreTheLastFew) {
  for (int i = 0; i < 20; ++i) note("/" + std::to_string(i));
  cuts.release(now, tell);
  EXPECT_EQ(told.size(), CutRequests::kMost);
  EXPECT_EQ(told.back(), "/19");
  note("/more");
  EXPECT_EQ(told.size(), CutRequests::kMost);
}

TEST(CutRequest, HasMethodAndPathWithoutTheQuery) {
  const auto cut =
      cut_request(WorkerId{7}, "POST /orders/7?token=secret HTTP/1.1\r\nHost: a\r\n\r\n", 2s);
  EXPECT_EQ(cut.id, WorkerId{7});
  EXPECT_EQ(cut.method, "POST");
  EXPECT_EQ(cut.path, "/orders/7");
  EXPECT_EQ(cut.age, Duration(2s));
}

TEST(CutRequest, IsFitForALog) {
  EXPECT_EQ(cut_request(WorkerId{1}, "GET /\x1b[2J HTTP/1.1\r\n", 0s).path, "/\\x1b[2J");
  const std::string longest(5000, 'x');
  EXPECT_EQ(cut_request(WorkerId{1}, "GET /" + longest + " HTTP/1.1\r\n", 0s).path.size(),
            link::kLongestPath);
  EXPECT_EQ(cut_request(WorkerId{1}, longest, 0s).method.size(), link::kLongestMethod);
  EXPECT_EQ(cut_request(WorkerId{1}, "", 0s).path, "");
}

}  // namespace
}  // namespace poolwarden::gateway
