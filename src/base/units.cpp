#include "base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "base/match.h"

namespace poolwarden {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDurationExamples = "a duration such as 250ms, 30s, 1h30m or infinite";
constexpr const char* kFiniteExamples = "a duration such as 250ms, 30s or 1h30m";
constexpr const char* kSizeExamples = "a size such as 64KiB, 512MiB, 2GB or 60%";
// Ten years: far from where a deadline made of it could leave the clock's range.
constexpr std::int64_t kLongest = std::int64_t{3650} * 24 * 3600 * 1000;

struct TimeUnit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array kTimeUnits = {TimeUnit{"d", 86'400'000}, TimeUnit{"h", 3'600'000},
                                   TimeUnit{"m", 60'000}, TimeUnit{"s", 1000}, TimeUnit{"ms", 1}};

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array kBinaryUnits = {
    SizeUnit{"TiB", std::uint64_t{1} << 40}, SizeUnit{"GiB", std::uint64_t{1} << 30},
    SizeUnit{"MiB", std::uint64_t{1} << 20}, SizeUnit{"KiB", std::uint64_t{1} << 10}};
constexpr std::array kDecimalUnits = {SizeUnit{"TB", 1'000'000'000'000},
                                      SizeUnit{"GB", 1'000'000'000}, SizeUnit{"MB", 1'000'000},
                                      SizeUnit{"kB", 1000}};

Error expected(const std::string& what, std::string_view text, const std::string& cure = "") {
  return failure("expected " + what + ", got \"" + std::string(text) + "\"" +
                 (cure.empty() ? "" : "; " + cure));
}

// The whole number that `text` begins with, which is then cut off. Only digits: from_chars knows
// no locale and no sign for unsigned types.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_unit(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), is_digit);
  const auto length = static_cast<std::size_t>(end - text.begin());
  const std::string_view unit = text.substr(0, length);
  text.remove_prefix(length);
  return unit;
}

Error no_duration(std::string_view text, const char* examples) {
  const bool only_digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  if (only_digits)
    return expected(examples, text, "a unit is missing: " + std::string(text) + "s?");
  if (text.find('.') != std::string_view::npos) {
    return expected(examples, text, "write whole numbers: 1s500ms, not 1.5s");
  }
  return expected(examples, text);
}

// "1h30m": whole numbers, each with a unit, from the largest unit to the smallest.
Result<Duration> parse_length(std::string_view text, const char* examples) {
  if (text == "0") return Duration::zero();
  std::string_view rest = text;
  std::int64_t total = 0;
  auto allowed = kTimeUnits.begin();
  do {
    const std::optional<std::uint64_t> count = take_number(rest);
    const std::string_view name = take_unit(rest);
    const auto unit = std::find_if(allowed, kTimeUnits.end(),
                                   [&](const TimeUnit& known) { return known.name == name; });
    if (!count || unit == kTimeUnits.end()) return no_duration(text, examples);
    if (*count > static_cast<std::uint64_t>((kLongest - total) / unit->milliseconds)) {
      return expected(examples, text, "the longest is 3650d");
    }
    total += static_cast<std::int64_t>(*count) * unit->milliseconds;
    allowed = unit + 1;
  } while (!rest.empty());
  return Duration(milliseconds(total));
}

std::optional<std::uint64_t> bytes_of_unit(std::string_view name) {
  if (name.empty() || name == "B") return 1;
  if (name == "KB") return 1000;
  for (const SizeUnit& unit : kBinaryUnits) {
    if (unit.name == name) return unit.bytes;
  }
  for (const SizeUnit& unit : kDecimalUnits) {
    if (unit.name == name) return unit.bytes;
  }
  return std::nullopt;
}

Error no_size(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    return expected(kSizeExamples, text, "write whole numbers: 1536MiB, not 1.5GiB");
  }
  std::string_view unit = text;
  const std::optional<std::uint64_t> count = take_number(unit);
  if (!count || unit.empty()) return expected(kSizeExamples, text);
  const char prefix = static_cast<char>(unit[0] & ~0x20);
  if (std::string_view("KMGT").find(prefix) == std::string_view::npos) {
    return expected(kSizeExamples, text);
  }
  const std::string meant = std::to_string(*count) + prefix + "iB";
  return expected(kSizeExamples, text, "did you mean " + meant + "?");
}

Result<std::optional<Size>> parse_percent(std::string_view text, std::uint64_t count) {
  if (count > std::numeric_limits<std::uint32_t>::max()) {
    return expected(kSizeExamples, text, "the percentage is too large");
  }
  if (count == 0) return std::optional<Size>();
  return std::optional<Size>(Percent{static_cast<std::uint32_t>(count)});
}

template <typename Units>
std::string in_whole_units(std::uint64_t bytes, const Units& units) {
  for (const SizeUnit& unit : units) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return std::to_string(bytes / unit.bytes) + std::string(unit.name);
    }
  }
  return std::to_string(bytes);
}

// "3.4" of 3417 and 1000; "3" when the tenth is 0. Integers, so no locale can change the point.
std::string with_tenth(std::uint64_t value, std::uint64_t unit) {
  std::uint64_t whole = value / unit;
  std::uint64_t tenth = (value % unit * 10 + unit / 2) / unit;
  if (tenth == 10) {
    ++whole;
    tenth = 0;
  }
  return std::to_string(whole) + (tenth == 0 ? "" : "." + std::to_string(tenth));
}

}  // namespace

Result<std::optional<Duration>> parse_duration(std::string_view text) {
  if (text == "infinite") return std::optional<Duration>();
  const Result<Duration> length = parse_length(text, kDurationExamples);
  if (!length) return length.error();
  if (*length == Duration::zero()) return std::optional<Duration>();
  return std::optional<Duration>(*length);
}

Result<Duration> parse_finite_duration(std::string_view text) {
  if (text == "infinite") return expected(kFiniteExamples, text, "this must end some time");
  return parse_length(text, kFiniteExamples);
}

Result<std::optional<Size>> parse_size(std::string_view text) {
  if (text == "infinite") return std::optional<Size>();
  std::string_view unit = text;
  const std::optional<std::uint64_t> count = take_number(unit);
  const bool too_many_digits = !count && !text.empty() && is_digit(text[0]);
  if (too_many_digits) return expected(kSizeExamples, text, "the number is too large");
  if (!count) return no_size(text);
  if (unit == "%") return parse_percent(text, *count);
  const std::optional<std::uint64_t> factor = bytes_of_unit(unit);
  if (!factor) return no_size(text);
  if (*count > std::numeric_limits<std::uint64_t>::max() / *factor) {
    return expected(kSizeExamples, text, "the number is too large");
  }
  if (*count == 0) return std::optional<Size>();
  return std::optional<Size>(Bytes{*count * *factor});
}

std::uint64_t resolve(const Size& size, std::uint64_t available) {
  return std::visit(Match{[](Bytes bytes) { return bytes.count; },
                          [&](Percent percent) {
                            const std::uint64_t hundredth = available / 100;
                            const std::uint64_t rest = available % 100 * percent.count / 100;
                            const auto most = std::numeric_limits<std::uint64_t>::max() - rest;
                            if (percent.count != 0 && hundredth > most / percent.count) {
                              return std::numeric_limits<std::uint64_t>::max();
                            }
                            return hundredth * percent.count + rest;
                          }},
                    size);
}

std::string format_duration(Duration duration) {
  std::int64_t rest = std::chrono::duration_cast<milliseconds>(duration).count();
  if (rest <= 0) return "0";
  std::string text;
  for (const TimeUnit& unit : kTimeUnits) {
    // 29h stays 29h, as it was written; only whole days become days.
    if (unit.name == "d" && rest % unit.milliseconds != 0) continue;
    if (rest < unit.milliseconds) continue;
    text += std::to_string(rest / unit.milliseconds) + std::string(unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

std::string format_size(const Size& size) {
  return std::visit(Match{[](Bytes bytes) {
                            const std::string binary = in_whole_units(bytes.count, kBinaryUnits);
                            const std::string decimal = in_whole_units(bytes.count, kDecimalUnits);
                            return decimal.size() < binary.size() ? decimal : binary;
                          },
                          [](Percent percent) { return std::to_string(percent.count) + "%"; }},
                    size);
}

std::string format_bytes(std::uint64_t bytes) {
  for (const SizeUnit& unit : kBinaryUnits) {
    if (bytes >= unit.bytes) return with_tenth(bytes, unit.bytes) + std::string(unit.name);
  }
  return std::to_string(bytes) + "B";
}

std::string describe_duration(Duration duration) {
  const std::int64_t total = std::chrono::duration_cast<milliseconds>(duration).count();
  if (total <= 0) return "0s";
  if (total < 1000) return std::to_string(total) + "ms";
  if (total < 9950) return with_tenth(static_cast<std::uint64_t>(total), 1000) + "s";
  const auto* large = kTimeUnits.begin();
  while (total < large->milliseconds && large->name != "s") ++large;
  const std::int64_t small = large->name == "s" ? 1000 : (large + 1)->milliseconds;
  const std::int64_t rounded = (total + small / 2) / small * small;
  if (large != kTimeUnits.begin() && rounded >= (large - 1)->milliseconds) --large;
  std::string text = std::to_string(rounded / large->milliseconds) + std::string(large->name);
  const std::int64_t rest = rounded % large->milliseconds;
  if (large->name == "s" || rest == 0) return text;
  const auto* next = large + 1;
  return text + " " + std::to_string(rest / next->milliseconds) + std::string(next->name);
}

// Damerau's: two letters swapped are one mistake, as they are for people.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace poolwarden
