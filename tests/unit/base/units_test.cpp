// Durations and sizes: the one table of what is read, what is written, and what is refused.

#include "base/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace poolwarden {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Units, ReadDurations) {
  const std::pair<const char*, Duration> table[] = {
      {"250ms", 250ms},     {"5s", 5s},
      {"3m", 3min},         {"29h", 29h},
      {"2d", 48h},          {"90m", 90min},
      {"1h30m", 90min},     {"1d2h3m4s5ms", 26h + 3min + 4s + 5ms},
      {"3650d", 24h * 3650}};
  for (const auto& [text, value] : table) {
    EXPECT_EQ(parse_duration(text).value(), value) << text;
    EXPECT_EQ(parse_finite_duration(text).value(), value) << text;
  }
}

TEST(Units, ReadZeroAndInfiniteAsNoLimit) {
  for (const char* text : {"0", "0s", "0h0m", "infinite"}) {
    EXPECT_EQ(parse_duration(text).value(), std::nullopt) << text;
  }
  EXPECT_EQ(parse_finite_duration("0").value(), Duration::zero());
  EXPECT_THAT(parse_finite_duration("infinite").error().message, HasSubstr("must end"));
}

TEST(Units, RefuseWhatIsNoDuration) {
  for (const char* text :
       {"", "soon", "5", "5 s", "1.5s", "-5s", "+5s", "s", "5sec", "30m1h", "1h1h", "5s ", " 5s",
        "3651d", "99999999999999999999s", "9223372036854775807h", "1h30", "Infinite", "0x5s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
    EXPECT_FALSE(parse_finite_duration(text)) << text;
  }
}

TEST(Units, TellWhatWasExpectedInADuration) {
  EXPECT_EQ(parse_duration("soon").error().message,
            "expected a duration such as 250ms, 30s, 1h30m or infinite, got \"soon\"");
  EXPECT_THAT(parse_duration("30").error().message, HasSubstr("unit is missing: 30s?"));
  EXPECT_THAT(parse_duration("1.5s").error().message, HasSubstr("1s500ms"));
  EXPECT_THAT(parse_duration("9999d").error().message, HasSubstr("the longest is 3650d"));
}

TEST(Units, ReadSizes) {
  const std::pair<const char*, Size> table[] = {
      {"1", Bytes{1}},
      {"17B", Bytes{17}},
      {"64KiB", Bytes{65536}},
      {"512MiB", Bytes{536870912}},
      {"3GiB", Bytes{3221225472}},
      {"2TiB", Bytes{2199023255552}},
      {"4kB", Bytes{4000}},
      {"4KB", Bytes{4000}},
      {"2MB", Bytes{2000000}},
      {"2GB", Bytes{2000000000}},
      {"1TB", Bytes{1000000000000}},
      {"18446744073709551615", Bytes{18446744073709551615u}},
      {"60%", Percent{60}},
      {"150%", Percent{150}}};
  for (const auto& [text, value] : table) EXPECT_EQ(parse_size(text).value(), value) << text;
  for (const char* text : {"0", "0MiB", "0%", "infinite"}) {
    EXPECT_EQ(parse_size(text).value(), std::nullopt) << text;
  }
}

TEST(Units, RefuseWhatIsNoSize) {
  for (const char* text : {"", "big", "-1", "1.5GiB", "512 MiB", "512M", "512mb", "MiB", "%",
                           "60%%", "18446744073709551616", "18446744073709551615KiB", "99999999TiB",
                           "4294967296%", "1e9", "0x10"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
  EXPECT_EQ(parse_size("big").error().message,
            "expected a size such as 64KiB, 512MiB, 2GB or 60%, got \"big\"");
  EXPECT_THAT(parse_size("512m").error().message, HasSubstr("did you mean 512MiB?"));
  EXPECT_THAT(parse_size("1.5GiB").error().message, HasSubstr("1536MiB"));
  EXPECT_THAT(parse_size("99999999TiB").error().message, HasSubstr("too large"));
}

TEST(Units, ResolveASizeWithoutOverflow) {
  EXPECT_EQ(resolve(Bytes{7}, 100), 7u);
  EXPECT_EQ(resolve(Percent{60}, 1000), 600u);
  EXPECT_EQ(resolve(Percent{60}, 99), 59u);
  EXPECT_EQ(resolve(Percent{100}, 18446744073709551615u), 18446744073709551615u);
  EXPECT_EQ(resolve(Percent{200}, 18446744073709551615u), 18446744073709551615u);
  EXPECT_EQ(resolve(Percent{0}, 1000), 0u);
}

TEST(Units, WriteWhatTheyRead) {
  for (const char* text : {"250ms", "5s", "3m", "29h", "2d", "1h30m", "1m1s1ms", "25h1m", "0"}) {
    EXPECT_EQ(format_duration(parse_finite_duration(text).value()), text);
  }
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(-5s), "0");
  for (const char* text : {"512MiB", "2GB", "64KiB", "1000001", "60%", "1TiB"}) {
    EXPECT_EQ(format_size(*parse_size(text).value()), text);
  }
}

TEST(Units, RoundForPeople) {
  EXPECT_EQ(format_bytes(0), "0B");
  EXPECT_EQ(format_bytes(1023), "1023B");
  EXPECT_EQ(format_bytes(536870912), "512MiB");
  EXPECT_EQ(format_bytes(1610612736), "1.5GiB");
  const std::pair<Duration, const char*> table[] = {
      {0s, "0s"},        {850ms, "850ms"},  {1400ms, "1.4s"},       {5s, "5s"},
      {9990ms, "10s"},   {12400ms, "12s"},  {59700ms, "1m"},        {125s, "2m 5s"},
      {3599700ms, "1h"}, {90min, "1h 30m"}, {76h + 10min, "3d 4h"}, {-3s, "0s"}};
  for (const auto& [value, text] : table) EXPECT_EQ(describe_duration(value), text);
}

TEST(Units, FindTheNearestWord) {
  const std::vector<std::string> words = {"command", "connect", "containment", "concurrency"};
  EXPECT_EQ(nearest("comand", words), "command");
  EXPECT_EQ(nearest("conenct", words), "connect");
  EXPECT_EQ(nearest("zzz", words), std::nullopt);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

}  // namespace
}  // namespace poolwarden
