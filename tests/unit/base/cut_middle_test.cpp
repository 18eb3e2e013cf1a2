// What is kept of a text that is too long: whole lines, and never a part of a character.

#include "base/cut_middle.h"

#include <gtest/gtest.h>

#include "base/clean_text.h"

namespace poolwarden {
namespace {

TEST(WithoutMiddle, LeavesAloneWhatFits) {
  EXPECT_EQ(without_middle("one\ntwo\n", 8, 3), "one\ntwo\n");
  EXPECT_EQ(without_middle("", 8, 3), "");
}

TEST(WithoutMiddle, CutsBetweenLines) {
  EXPECT_EQ(without_middle("who\nnext\nmany\nmany\nlast\n", 22, 10), "who\nnext\n(cut)\nlast\n");
  EXPECT_EQ(without_middle("who\nnext\nmany\nmany\nlast\n", 20, 10), "who\nnext\n(cut)\nlast\n")
      << "what is kept begins a line";
}

TEST(WithoutMiddle, CutsALineThatIsTooLongBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";  // €
  for (std::size_t most = 20; most < 299; ++most) {
    const std::string kept = without_middle(text, most, most / 3);
    EXPECT_LE(kept.size(), most);
    EXPECT_GE(kept.size() + 5, most);
    EXPECT_EQ(valid_utf8(kept), kept) << most;
    EXPECT_NE(kept.find("\n(cut)\n"), std::string::npos);
  }
}

}  // namespace
}  // namespace poolwarden
