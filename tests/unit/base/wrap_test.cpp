// Lines of 80 columns.

#include "base/wrap.h"

#include <gtest/gtest.h>

namespace poolwarden {
namespace {

std::string wrapped(const std::string& text, std::size_t column, std::size_t indent) {
  std::string page(column, '.');
  append_wrapped(page, text, column, indent);
  return page;
}

TEST(Wrap, LeavesAShortLineAlone) { EXPECT_EQ(wrapped("one two", 2, 4), "..one two\n"); }

TEST(Wrap, UsesEveryColumnAndNoMore) {
  const std::string word(39, 'x');
  EXPECT_EQ(wrapped(word + " " + word + " y", 1, 2), "." + word + " " + word + "\n  y\n");
  EXPECT_EQ(wrapped(word + "x " + word + " y", 0, 2), word + "x " + word + "\n  y\n");
  EXPECT_EQ(wrapped(word + "x " + word + "x", 0, 2), word + "x\n  " + word + "x\n");
}

TEST(Wrap, KeepsALongWordWhole) {
  const std::string word(100, 'x');
  EXPECT_EQ(wrapped("a " + word + " b", 0, 1), "a\n " + word + "\n b\n");
  EXPECT_EQ(wrapped(word, 10, 1), std::string(10, '.') + word + "\n");
}

TEST(Wrap, OfNothingIsAnEmptyLine) { EXPECT_EQ(wrapped("", 0, 3), "\n"); }

}  // namespace
}  // namespace poolwarden
