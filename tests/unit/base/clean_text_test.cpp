// Hostile bytes become harmless ones, and nothing else changes.

#include "base/clean_text.h"

#include <gtest/gtest.h>

namespace poolwarden {
namespace {

TEST(CleanText, ReplacesWhateverIsNotUtf8) {
  EXPECT_EQ(valid_utf8("a\xf0\x9f\x98\x80z"), "a\xf0\x9f\x98\x80z");
  EXPECT_EQ(valid_utf8("\xf0\x9f\x98"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // cut short
  EXPECT_EQ(valid_utf8("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // surrogate
  EXPECT_EQ(valid_utf8(std::string_view("\0", 1)), std::string_view("\0", 1));
}

TEST(CleanText, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(escaped("a\tb\r\n\x1b[1m\x7f"), "a\\tb\\r\\n\\x1b[1m\\x7f");
  EXPECT_EQ(escaped("gr\xc3\xbcn \xff"), "gr\xc3\xbcn \\xff");
}

}  // namespace
}  // namespace poolwarden
