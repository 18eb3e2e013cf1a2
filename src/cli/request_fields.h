// What an order's request says, as the control socket brings it. A field that is missing or of
// another kind is as if it had not been said.

#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace poolwarden::cli {

inline std::string text(const boost::json::object& request, const char* key) {
  const boost::json::value* value = request.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

inline bool flag(const boost::json::object& request, const char* key) {
  const boost::json::value* value = request.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

inline std::optional<std::int64_t> number(const boost::json::object& request, const char* key) {
  const boost::json::value* value = request.if_contains(key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return static_cast<std::int64_t>(value->get_uint64());
  return std::nullopt;
}

}  // namespace poolwarden::cli
