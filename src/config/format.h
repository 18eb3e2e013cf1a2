// How values of one kind are read from the file, written back, and described to people and
// editors. A key of the table is a format bound to a field, so a kind has one description only.

#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "config/cell.h"

namespace poolwarden::config {

template <typename T>
struct Format {
  std::string kind;            // one or two words, for the documentation: "duration"
  boost::json::object schema;  // for editors
  std::function<std::optional<T>(const Cell&)> read;  // nullopt: it has complained
  std::function<NodePtr(const T&)> write;             // null: leave the key out
};

// A format whose values are single texts. `parse` explains what it expected; `expected` is for
// when there is no text at all.
template <typename T>
Format<T> scalar_format(std::string kind, boost::json::object schema, std::string expected,
                        std::function<Result<T>(const std::string&)> parse,
                        std::function<std::string(const T&)> show) {
  Format<T> format{std::move(kind), std::move(schema), nullptr, nullptr};
  format.read = [expected = std::move(expected),
                 parse = std::move(parse)](const Cell& cell) -> std::optional<T> {
    if (cell.node->kind != Node::Kind::Scalar) {
      cell.expected(expected);
      return std::nullopt;
    }
    constexpr std::size_t kLongest = 4096;  // as the system's own limit of a path
    if (cell.node->text.size() > kLongest) {
      cell.expected(expected);
      return std::nullopt;
    }
    const Result<T> value = parse(cell.node->text);
    if (!value) {
      cell.error(value.error().message);
      return std::nullopt;
    }
    return *value;
  };
  format.write = [show = std::move(show)](const T& value) { return make_scalar(show(value)); };
  return format;
}

// The same for a field that is absent unless the file has the key.
template <typename T>
Format<std::optional<T>> optional(const Format<T>& format) {
  return {format.kind, format.schema,
          [format](const Cell& cell) -> std::optional<std::optional<T>> {
            std::optional<T> value = format.read(cell);
            if (!value) return std::nullopt;
            return std::optional<std::optional<T>>(std::in_place, std::move(value));
          },
          [format](const std::optional<T>& value) -> NodePtr {
            return value ? format.write(*value) : nullptr;
          }};
}

// The same for a limit that `0` and `infinite` switch off.
template <typename T>
Format<std::optional<T>> or_off(const Format<T>& format) {
  Format<std::optional<T>> result = optional(format);
  boost::json::object off{{"enum", {0, "0", "infinite"}}};
  result.schema = boost::json::object{{"anyOf", {format.schema, off}}};
  result.read = [read = result.read](const Cell& cell) -> std::optional<std::optional<T>> {
    if (cell.node->text == "0" || cell.node->text == "infinite") {
      return std::optional<std::optional<T>>(std::in_place, std::nullopt);
    }
    return read(cell);
  };
  result.write = [write = format.write](const std::optional<T>& value) {
    return value ? write(*value) : make_scalar("0");
  };
  return result;
}

// A list; an item that is wrong does not keep the others from being looked at.
template <typename T>
Format<std::vector<T>> list_of(const Format<T>& format, const std::string& example) {
  boost::json::object schema{{"type", "array"}, {"items", format.schema}};
  return {"list of " + format.kind, std::move(schema),
          [format, example](const Cell& cell) -> std::optional<std::vector<T>> {
            if (cell.node->kind != Node::Kind::List) {
              cell.expected("a list such as " + example);
              return std::nullopt;
            }
            std::vector<T> values;
            for (std::size_t i = 0; i < cell.node->items.size(); ++i) {
              if (std::optional<T> value = format.read(cell.item(i))) values.push_back(*value);
            }
            return values;
          },
          [format](const std::vector<T>& values) {
            std::vector<NodePtr> items;
            for (const T& value : values) items.push_back(format.write(value));
            return make_list(std::move(items));
          }};
}

}  // namespace poolwarden::config
