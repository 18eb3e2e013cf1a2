// The file as a tree of values with their places, and the same for values to be written. Aliases
// share nodes, so a small file cannot become a large tree in memory.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/finding.h"

namespace poolwarden::config {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  std::string key;
  Place place;
  NodePtr value;
};

struct Node {
  enum class Kind { Nothing, Scalar, List, Map };
  Kind kind = Kind::Nothing;
  Place place = {};
  std::string text = {};
  std::vector<NodePtr> items = {};
  std::vector<Entry> entries = {};
  std::size_t weight = 1;  // nodes from here down, shared ones counted at each use

  const Entry* find(std::string_view key) const;
};

NodePtr make_scalar(const std::string& text);
NodePtr make_list(std::vector<NodePtr> items);
NodePtr make_map(std::vector<Entry> entries);

// In quotes, on one line, and cut when it is long: for messages.
std::string quoted(const std::string& text);
// "\"soon\"", "a list", "a map", "nothing": for messages.
std::string describe(const Node& node);

// `own` laid over `defaults`: maps are merged key by key, anything else is replaced. What is own
// comes last.
NodePtr merged(const NodePtr& defaults, const NodePtr& own);

// Puts `value` at "a.b.c" below `map`, making the maps between.
NodePtr with_value_at(const NodePtr& map, std::string_view path, const NodePtr& value);

}  // namespace poolwarden::config
