// Fields of a message head as views into the bytes that were received, and what their names mean
// to a proxy.

#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "dispatch/words.h"

namespace poolwarden::gateway {

enum class FieldKind {
  EndToEnd,  // passed on as it is
  HopByHop,  // ends here: RFC 9110 7.6.1
  Host,
  ContentLength,
  ForwardedFor,
  ForwardedProto,
  ForwardedHost,
  RequestId,
};

struct Field {
  FieldKind kind = FieldKind::EndToEnd;
  std::string_view name;
  std::string_view value;
};
using Fields = std::vector<Field>;

inline constexpr std::size_t kMaxHead = 64 * 1024;

// Why a message head cannot be accepted.
struct HeadError {
  int status = 400;
  dispatch::Reason reason = dispatch::Reason::BadRequest;
  std::string_view sentence;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);

// Calls `visit` for each non-empty element of a comma-separated list.
template <typename Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    const std::size_t first = element.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    element.remove_prefix(first);
    element.remove_suffix(element.size() - element.find_last_not_of(" \t") - 1);
    visit(element);
  }
}

// The options of Connection fields. Fields named by one of them end here too.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  std::vector<std::string_view> field_names;

  void reset();
  void add(std::string_view value);
  bool names(std::string_view field) const;
};

}  // namespace poolwarden::gateway
