// Rows of the scoreboard are handed out once, and again as late as possible.

#include "supervisor/board_rows.h"

#include <gtest/gtest.h>

namespace poolwarden::supervisor {
namespace {

TEST(BoardRows, GivesEachRowOnceThenNone) {
  BoardRows rows(3);
  EXPECT_EQ(rows.take(), 0u);
  EXPECT_EQ(rows.take(), 1u);
  EXPECT_EQ(rows.take(), 2u);
  EXPECT_EQ(rows.take(), std::nullopt);
}

TEST(BoardRows, PrefersARowThatNobodyHasHad) {
  BoardRows rows(2);
  rows.give_back(*rows.take());
  EXPECT_EQ(rows.take(), 1u);
}

TEST(BoardRows, TakesTheRowAgainThatWasGivenBackLongestAgo) {
  BoardRows rows(3);
  while (rows.take()) {
  }
  rows.give_back(2);
  rows.give_back(0);
  EXPECT_EQ(rows.take(), 2u);
  EXPECT_EQ(rows.take(), 0u);
  EXPECT_EQ(rows.take(), std::nullopt);
}

TEST(BoardRows, MayHaveNone) { EXPECT_EQ(BoardRows(0).take(), std::nullopt); }

}  // namespace
}  // namespace poolwarden::supervisor
