// Kills that a container counts as a whole, and the workers whose ends they explain.

#include "process/oom_ledger.h"

#include <gtest/gtest.h>

namespace poolwarden::process {
namespace {

using namespace std::chrono_literals;

class OomLedgerTest : public testing::Test {
 protected:
  std::optional<std::uint64_t> kills_ = 7;  // struck before there was a worker
  OomLedger ledger_{[this] { return kills_; }};
  TimePoint now_ = TimePoint() + 1h;
};

TEST_F(OomLedgerTest, AKillExplainsOneEnd) {
  EXPECT_FALSE(ledger_.claim(now_));
  kills_ = 8;
  EXPECT_TRUE(ledger_.claim(now_));
  EXPECT_FALSE(ledger_.claim(now_));
}

TEST_F(OomLedgerTest, TwoStruckAtTheSameTimeHaveOneEach) {
  kills_ = 9;
  EXPECT_TRUE(ledger_.claim(now_));
  EXPECT_TRUE(ledger_.claim(now_ + 1s));
  EXPECT_FALSE(ledger_.claim(now_ + 1s));
}

TEST_F(OomLedgerTest, AnOldOneExplainsNothing) {
  kills_ = 8;
  ledger_.look(now_);
  EXPECT_FALSE(ledger_.claim(now_ + 11s));
}

TEST_F(OomLedgerTest, NothingIsKnownWhereNothingIsCounted) {
  kills_.reset();
  EXPECT_FALSE(ledger_.claim(now_));
  kills_ = 8;
  EXPECT_TRUE(ledger_.claim(now_));
}

}  // namespace
}  // namespace poolwarden::process
