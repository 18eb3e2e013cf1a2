#include "config/plain_formats.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <limits>

namespace poolwarden::config {
namespace {

using boost::json::array;
using boost::json::object;

constexpr const char* kOrNone = ", or 0 for no limit";

object pattern(const std::string& regex) { return {{"type", "string"}, {"pattern", regex}}; }

object number_or(const std::string& regex) {
  return {{"anyOf", array{object{{"type", "integer"}, {"minimum", 0}}, pattern(regex)}}};
}

template <typename Number>
Result<Number> parse_whole(const std::string& text, Number least, Number most,
                           const std::string& besides = "") {
  const bool open_ended = most >= Number{1'000'000'000};
  const std::string what = "a whole number from " + std::to_string(least) +
                           (open_ended ? " up" : " to " + std::to_string(most)) + besides;
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end || number < least || number > most) {
    return failure(wrong_text(what, text));
  }
  return number;
}

Result<Duration> parse_span(const std::string& text) {
  const Result<Duration> span = parse_finite_duration(text);
  if (span && *span == Duration::zero()) {
    return failure(wrong_text("a duration such as 250ms, 30s or 1h30m", text, "0 is too short"));
  }
  return span;
}

Result<std::optional<Size>> parse_size_limit(const std::string& text) {
  const Result<std::optional<Size>> size = parse_size(text);
  if (!size || !*size) return size;
  const Percent* percent = std::get_if<Percent>(&**size);
  if (percent && percent->count > 100) {
    return failure(wrong_text("a size such as 512MiB, or 1% to 100% of the memory there is", text));
  }
  return size;
}

Result<std::optional<Percent>> parse_cpu_limit(const std::string& text) {
  const Result<std::optional<Size>> size = parse_size(text);
  const std::string what = "a percentage of one CPU such as 150%, or 0 for no limit";
  if (!size) return failure(wrong_text(what, text));
  if (!*size) return std::optional<Percent>();
  if (const Percent* percent = std::get_if<Percent>(&**size)) {
    return std::optional<Percent>(*percent);
  }
  return failure(wrong_text(what, text, "did you mean " + text + "%?"));
}

Result<std::uint32_t> parse_share(const std::string& text) {
  const bool percent = text.ends_with('%') || text == "0";
  const std::string digits = text.substr(0, text.find('%'));
  const Result<std::uint32_t> number = parse_whole<std::uint32_t>(digits, 0, 100);
  if (percent && number && (text == "0" || text == digits + "%")) return *number;
  return failure(wrong_text("a percentage from 0% to 100%", text));
}

std::string show_percent(std::uint32_t count) { return std::to_string(count) + "%"; }

Format<std::string> rooted_path(const std::string& example, bool may_begin_with_variable) {
  const std::string what = "an absolute path such as " + example;
  return scalar_format<std::string>(
      "path", pattern(may_begin_with_variable ? "^[/$]" : "^/"), what,
      [what, may_begin_with_variable](const std::string& text) -> Result<std::string> {
        // What ${NAME} stands for is only known when the worker starts.
        const bool is_variable = may_begin_with_variable && text.starts_with("${");
        if (text.starts_with('/') || is_variable) return text;
        return failure(wrong_text(what, text, "it must begin with /"));
      },
      [](const std::string& value) { return value; });
}

}  // namespace

Format<bool> boolean() {
  return scalar_format<bool>(
      "true or false", {{"type", "boolean"}}, "true or false",
      [](const std::string& text) -> Result<bool> {
        if (text == "true") return true;
        if (text == "false") return false;
        const bool yes = text == "yes" || text == "on" || text == "True" || text == "1";
        const bool no = text == "no" || text == "off" || text == "False" || text == "0";
        return failure(wrong_text("true or false", text,
                                  yes  ? "did you mean true?"
                                  : no ? "did you mean false?"
                                       : ""));
      },
      [](const bool& value) { return std::string(value ? "true" : "false"); });
}

Format<std::uint32_t> whole(std::uint32_t least, std::uint32_t most, const std::string& besides) {
  return scalar_format<std::uint32_t>(
      "number", {{"type", "integer"}, {"minimum", least}, {"maximum", most}},
      "a whole number" + besides,
      [=](const std::string& text) {
        return parse_whole<std::uint32_t>(text, least, most, besides);
      },
      [](const std::uint32_t& value) { return std::to_string(value); });
}

Format<std::optional<std::uint32_t>> count_limit() {
  return or_off(whole(1, 1'000'000'000, kOrNone));
}

Format<std::optional<std::uint64_t>> large_count_limit() {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return or_off(scalar_format<std::uint64_t>(
      "number", {{"type", "integer"}, {"minimum", 1}}, std::string("a whole number") + kOrNone,
      [](const std::string& text) { return parse_whole<std::uint64_t>(text, 1, kMost, kOrNone); },
      [](const std::uint64_t& value) { return std::to_string(value); }));
}

Format<std::optional<Duration>> time_limit() {
  return scalar_format<std::optional<Duration>>(
      "duration",
      {{"anyOf", array{object{{"const", 0}}, pattern("^(0|infinite|([0-9]+(d|h|ms|m|s))+)$")}}},
      "a duration such as 250ms, 30s, 1h30m or infinite",
      [](const std::string& text) { return parse_duration(text); },
      [](const std::optional<Duration>& value) { return value ? format_duration(*value) : "0"; });
}

Format<Duration> time_span() {
  return scalar_format<Duration>("duration", pattern("^([0-9]+(d|h|ms|m|s))+$"),
                                 "a duration such as 250ms, 30s or 1h30m", parse_span,
                                 [](const Duration& value) { return format_duration(value); });
}

Format<std::optional<Size>> size_limit() {
  return scalar_format<std::optional<Size>>(
      "size", number_or("^(infinite|[0-9]+([KMGT]iB|[kKMGT]?B|%)?)$"),
      "a size such as 64KiB, 512MiB, 2GB or 60%", parse_size_limit,
      [](const std::optional<Size>& value) { return value ? format_size(*value) : "0"; });
}

Format<std::optional<Percent>> cpu_limit() {
  return scalar_format<std::optional<Percent>>(
      "percentage", {{"anyOf", array{object{{"const", 0}}, pattern("^(0|infinite|[0-9]+%)$")}}},
      "a percentage of one CPU such as 150%", parse_cpu_limit,
      [](const std::optional<Percent>& value) { return value ? show_percent(value->count) : "0"; });
}

Format<std::uint32_t> share() {
  return scalar_format<std::uint32_t>(
      "percentage", {{"anyOf", array{object{{"const", 0}}, pattern("^[0-9]{1,3}%$")}}},
      "a percentage from 0% to 100%", parse_share,
      [](const std::uint32_t& value) { return show_percent(value); });
}

Format<std::optional<std::uint32_t>> share_or_off() {
  Format<std::optional<std::uint32_t>> format = or_off(share());
  format.read = [read = format.read](const Cell& cell) {
    auto value = read(cell);
    if (value && *value == 0u) value->reset();  // "0%"
    return value;
  };
  return format;
}

Format<std::string> absolute_path(const std::string& example) { return rooted_path(example, true); }

Format<std::string> plain_path(const std::string& example) { return rooted_path(example, false); }

Format<std::string> word(const std::string& kind, const std::string& what) {
  return scalar_format<std::string>(
      kind, {{"type", array{"string", "integer"}}}, what,
      [what](const std::string& text) -> Result<std::string> {
        const bool broken = std::any_of(text.begin(), text.end(), [](unsigned char c) {
          return c <= ' ' || c == 0x7f || c == ':' || c == '/';
        });
        if (text.empty() || broken) return failure(wrong_text(what, text));
        return text;
      },
      [](const std::string& value) { return value; });
}

object choice_schema(const std::vector<std::string>& names) {
  return {{"enum", array(names.begin(), names.end())}};
}

Error no_such_choice(const std::vector<std::string>& names, const std::string& text) {
  const std::optional<std::string> meant = nearest(text, names);
  return failure(wrong_text(one_of(names), text, meant ? "did you mean \"" + *meant + "\"?" : ""));
}

}  // namespace poolwarden::config
