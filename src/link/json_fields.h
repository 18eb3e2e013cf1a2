// Reads the fields of one JSON object of the control link. The first thing that is wrong is kept
// and named; what is read after it is empty and means nothing. finish() tells.

#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace poolwarden::link {

class JsonFields {
 public:
  JsonFields(const boost::json::object& object, std::string where)
      : object_(object), where_(std::move(where)) {}

  std::string text(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t highest);
  bool flag(std::string_view name);
  std::optional<std::uint32_t> number_or_null(std::string_view name);
  std::optional<Duration> duration_or_null(std::string_view name);
  const boost::json::object* object(std::string_view name);
  const boost::json::array* array(std::string_view name);
  bool has(std::string_view name) const;

  template <typename T>
  T number(std::string_view name) {
    return static_cast<T>(number(name, static_cast<std::uint64_t>(std::numeric_limits<T>::max())));
  }

  // One of an enumeration's values, by the words that `word_of` gives them.
  template <typename Enum, typename WordOf>
  Enum choice(std::string_view name, Enum last, WordOf word_of) {
    const std::string found = text(name);
    for (int i = 0; i <= static_cast<int>(last); ++i) {
      if (word_of(static_cast<Enum>(i)) == found) return static_cast<Enum>(i);
    }
    fail(name, "is none of the known words");
    return last;
  }

  void fail(std::string_view name, std::string_view what);
  void fail(const Error& error);

  // The first error, or that of a field nobody asked for.
  std::optional<Error> finish() const;

 private:
  const boost::json::value* find(std::string_view name);

  const boost::json::object& object_;
  std::string where_;
  std::optional<Error> error_;
  std::size_t asked_for_ = 0;  // fields that were there and were read
};

}  // namespace poolwarden::link
