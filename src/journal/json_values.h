// Values as this program writes them in JSON, and the fields of an object that it has written. Text
// is valid UTF-8 whatever it was, and nothing in it moves the cursor of a terminal; a field that is
// missing or of another kind is as if it was empty.

#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clean_text.h"
#include "base/clock.h"

namespace poolwarden::journal {

inline boost::json::string json_text(std::string_view words) {
  const std::string clean = valid_utf8(words);
  return boost::json::string(clean.data(), clean.size());
}

// One line. Control characters beyond those that JSON has escaped (RFC 8259, 7), which stand in
// texts alone, are escaped, too: DEL, and U+0080 to U+009F, of which terminals know some.
inline std::string serialized(const boost::json::value& value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::string plain = boost::json::serialize(value);
  std::string line;
  line.reserve(plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const auto byte = static_cast<unsigned char>(plain[i]);
    const auto next = static_cast<unsigned char>(i + 1 < plain.size() ? plain[i + 1] : 0);
    const bool is_c1 = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    if (!is_c1 && byte != 0x7f) {
      line += plain[i];
      continue;
    }
    const unsigned char code = is_c1 ? next : byte;
    line += "\\u00";
    line += kDigits[code >> 4];
    line += kDigits[code & 0xf];
    i += is_c1 ? 1 : 0;
  }
  return line;
}

inline double json_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

inline double json_time(WallTime time) {  // seconds since the epoch
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

inline std::string text_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline bool flag_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

inline std::optional<double> number_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  if (!value || !value->is_number()) return std::nullopt;
  const double number = value->to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

inline std::uint64_t count_in(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  if (!value) return 0;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() > 0)
    return static_cast<std::uint64_t>(value->get_int64());
  return 0;
}

// Within what fits: a file may say anything.
inline int small_number_in(const boost::json::object& object, std::string_view key) {
  constexpr double kMost = 2147483647;
  const double number = number_in(object, key).value_or(0);
  return std::abs(number) <= kMost ? static_cast<int>(number) : 0;
}

inline const boost::json::object& object_in(const boost::json::object& object,
                                            std::string_view key) {
  static const boost::json::object kNone;
  const boost::json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : kNone;
}

inline const boost::json::array& array_in(const boost::json::object& object, std::string_view key) {
  static const boost::json::array kNone;
  const boost::json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : kNone;
}

// A length of time or a moment to the microsecond. Beyond 126 years it is 0: a Duration holds 292,
// so that two of them may still be added.
inline std::chrono::microseconds microseconds_in(const boost::json::object& object,
                                                 std::string_view key) {
  constexpr double kMost = 4e9;  // seconds
  const double seconds = number_in(object, key).value_or(0);
  if (std::abs(seconds) > kMost) return {};
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

}  // namespace poolwarden::journal
