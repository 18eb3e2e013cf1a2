#include "link/json_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

namespace poolwarden::link {

namespace json = boost::json;

namespace {

json::string_view key(std::string_view name) { return {name.data(), name.size()}; }

// Whole numbers only: 3.0 is not one.
std::optional<std::uint64_t> whole_number(const json::value& value) {
  if (const auto* number = value.if_uint64()) return *number;
  const auto* number = value.if_int64();
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

void JsonFields::fail(std::string_view name, std::string_view what) {
  if (error_) return;
  error_ =
      failure("cannot read " + where_ + ": field " + std::string(name) + " " + std::string(what));
}

void JsonFields::fail(const Error& error) {
  if (!error_) error_ = error.because("cannot read " + where_);
}

bool JsonFields::has(std::string_view name) const { return object_.contains(key(name)); }

const json::value* JsonFields::find(std::string_view name) {
  const json::value* value = object_.if_contains(key(name));
  if (value == nullptr) {
    fail(name, "is missing");
  } else {
    ++asked_for_;
  }
  return value;
}

std::string JsonFields::text(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return {};
  const json::string* words = value->if_string();
  if (words == nullptr) {
    fail(name, "is no text");
    return {};
  }
  return {words->data(), words->size()};
}

std::uint64_t JsonFields::number(std::string_view name, std::uint64_t highest) {
  const json::value* value = find(name);
  if (value == nullptr) return 0;
  const std::optional<std::uint64_t> number = whole_number(*value);
  if (!number || *number > highest) {
    fail(name, "is no number from 0 to " + std::to_string(highest));
    return 0;
  }
  return *number;
}

bool JsonFields::flag(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return false;
  if (!value->is_bool()) fail(name, "is neither true nor false");
  return value->is_bool() && value->get_bool();
}

std::optional<std::uint32_t> JsonFields::number_or_null(std::string_view name) {
  const json::value* value = object_.if_contains(key(name));
  if (value != nullptr && value->is_null()) {
    ++asked_for_;
    return std::nullopt;
  }
  return number<std::uint32_t>(name);
}

std::optional<Duration> JsonFields::duration_or_null(std::string_view name) {
  const json::value* value = object_.if_contains(key(name));
  if (value != nullptr && value->is_null()) {
    ++asked_for_;
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(number<std::int64_t>(name)));
}

const json::object* JsonFields::object(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) fail(name, "is no object");
  return value->if_object();
}

const json::array* JsonFields::array(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) fail(name, "is no array");
  return value->if_array();
}

std::optional<Error> JsonFields::finish() const {
  if (error_) return error_;
  if (asked_for_ == object_.size()) return std::nullopt;
  return failure("cannot read " + where_ + ": it has fields that it should not have");
}

}  // namespace poolwarden::link
