#include "config/node.h"

#include <algorithm>

namespace poolwarden::config {

const Entry* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

NodePtr make_scalar(const std::string& text) {
  return std::make_shared<const Node>(Node{.kind = Node::Kind::Scalar, .text = text});
}

NodePtr make_list(std::vector<NodePtr> items) {
  return std::make_shared<const Node>(Node{.kind = Node::Kind::List, .items = std::move(items)});
}

NodePtr make_map(std::vector<Entry> entries) {
  return std::make_shared<const Node>(Node{.kind = Node::Kind::Map, .entries = std::move(entries)});
}

std::string quoted(const std::string& text) {
  constexpr std::size_t kShown = 120;
  std::size_t end = std::min(text.size(), kShown);
  // Not within a character of UTF-8.
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
  std::string shown = text.substr(0, end);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return '"' + shown + (end < text.size() ? "…" : "") + '"';
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::Nothing:
      return "nothing";
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Map:
      return "a map";
    case Node::Kind::Scalar:
      break;
  }
  return quoted(node.text);
}

NodePtr merged(const NodePtr& defaults, const NodePtr& own) {
  const bool both_maps = defaults->kind == Node::Kind::Map && own->kind == Node::Kind::Map;
  // A pool with nothing below its name takes all from the defaults.
  if (own->kind == Node::Kind::Nothing && defaults->kind == Node::Kind::Map) {
    Node all = *defaults;
    all.place = own->place;
    return std::make_shared<const Node>(std::move(all));
  }
  if (!both_maps) return own;
  Node result{.kind = Node::Kind::Map, .place = own->place};
  for (const Entry& entry : defaults->entries) {
    if (!own->find(entry.key)) result.entries.push_back(entry);
  }
  for (const Entry& entry : own->entries) {
    const Entry* below = defaults->find(entry.key);
    const NodePtr value = below ? merged(below->value, entry.value) : entry.value;
    result.entries.push_back({entry.key, entry.place, value});
  }
  return std::make_shared<const Node>(std::move(result));
}

NodePtr with_value_at(const NodePtr& map, std::string_view path, const NodePtr& value) {
  Node result = *map;
  const std::size_t dot = path.find('.');
  const std::string key(path.substr(0, dot));
  auto found = std::find_if(result.entries.begin(), result.entries.end(),
                            [&](const Entry& entry) { return entry.key == key; });
  if (found == result.entries.end()) {
    found = result.entries.insert(result.entries.end(), {key, {}, make_map({})});
  }
  found->value = dot == std::string_view::npos
                     ? value
                     : with_value_at(found->value, path.substr(dot + 1), value);
  return std::make_shared<const Node>(std::move(result));
}

}  // namespace poolwarden::config
