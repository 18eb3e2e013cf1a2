#include "config/tree_builder.h"

#include <algorithm>

namespace poolwarden::config {
namespace {

constexpr std::size_t kMostNodes = 100'000;
constexpr std::size_t kMostKeys = 2000;  // of one map

// The quoted scalar that begins at `at` runs to the end of the text: yaml-cpp takes that without a
// word, and with it every key below the missing quote.
bool never_ends(const std::string& text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return false;
      ++i;
    }
  }
  return true;
}

}  // namespace

Place place_of(const YAML::Mark& mark) {
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
}

void TreeBuilder::error(const Place& place, const std::string& message) {
  findings_.push_back({Finding::Kind::Error, place.line, place.column, path(), message});
}

std::string TreeBuilder::path() const {
  std::string text;
  for (const Open& part : open_) {
    if (part.node->kind == Node::Kind::List) {
      text += "[" + std::to_string(part.node->items.size()) + "]";
    } else if (part.key) {
      text += (text.empty() ? "" : ".") + part.key->key;
    }
  }
  return text;
}

void TreeBuilder::check_tag(const YAML::Mark& mark, const std::string& tag) {
  const bool plain = tag.empty() || tag == "?" || tag == "!";
  if (plain || tag.starts_with("tag:yaml.org,2002:")) return;
  error(place_of(mark), "the tag " + tag + " means nothing here; remove it");
}

void TreeBuilder::check_quotes(const YAML::Mark& mark) {
  const auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
  const bool quoted = at < text_.size() && (text_[at] == '"' || text_[at] == '\'');
  if (quoted && never_ends(text_, at)) {
    error(place_of(mark), std::string("the quoted text that begins here never ends; add a ") +
                              text_[at] + " where it should");
  }
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (!top_) return;
  error(place_of(mark),
        "a second YAML document begins here; a configuration is one document: "
        "remove the line ---, or what follows it");
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  add(std::make_shared<const Node>(Node{.place = place_of(mark)}), place_of(mark), anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const Place place = place_of(mark);
  const auto found = anchors_.find(anchor);
  if (found != anchors_.end()) return add(found->second, place, YAML::NullAnchor);
  error(place, "this alias stands inside of what it is an alias of");
  add(std::make_shared<const Node>(Node{.place = place}), place, YAML::NullAnchor);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  check_tag(mark, tag);
  if (tag == "!") check_quotes(mark);
  if (value.find('\0') != std::string::npos) {
    error(place_of(mark), "this text holds a NUL character, which no program can be given");
  }
  Node node{.kind = Node::Kind::Scalar, .place = place_of(mark), .text = value};
  add(std::make_shared<const Node>(std::move(node)), place_of(mark), anchor);
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  check_tag(mark, tag);
  open({.kind = Node::Kind::List, .place = place_of(mark)}, anchor);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  check_tag(mark, tag);
  open({.kind = Node::Kind::Map, .place = place_of(mark)}, anchor);
}

void TreeBuilder::open(Node node, YAML::anchor_t anchor) {
  open_.push_back({std::make_shared<Node>(std::move(node)), anchor});
}

void TreeBuilder::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  // What a map says itself wins over what it merges in, wherever the merge key stands.
  for (Entry& entry : done.inherited) {
    if (!done.node->find(entry.key)) done.node->entries.push_back(std::move(entry));
  }
  for (const NodePtr& item : done.node->items) done.node->weight += item->weight;
  for (const Entry& entry : done.node->entries) done.node->weight += entry.value->weight;
  if (done.node->weight > kMostNodes) refuse_size(done.node->place);
  add(done.node, done.node->place, done.anchor);
}

void TreeBuilder::refuse_size(const Place& place) {
  if (!too_large_) error(place, "this holds more than 100000 values; use fewer aliases");
  too_large_ = true;
}

void TreeBuilder::add(const NodePtr& node, const Place& place, YAML::anchor_t anchor) {
  if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  if (open_.empty()) {
    if (!top_) top_ = node;
    return;
  }
  Open& parent = open_.back();
  if (parent.node->kind == Node::Kind::List) {
    parent.node->items.push_back(node);
  } else if (parent.key) {
    add_value(parent, node);
  } else {
    add_key(parent, node, place);
  }
}

void TreeBuilder::add_key(Open& map, const NodePtr& node, const Place& place) {
  map.key_is_text = node->kind == Node::Kind::Scalar;
  if (!map.key_is_text) {
    error(place, "expected the name of a key, got " + describe(*node));
  }
  map.key = Entry{node->text, place, nullptr};
}

void TreeBuilder::add_value(Open& map, const NodePtr& node) {
  if (map.key_is_text) keep_value(map, node);
  map.key.reset();  // only now, so that a complaint has the path of the key
}

void TreeBuilder::keep_value(Open& map, const NodePtr& node) {
  Entry entry = *map.key;
  if (entry.key == "<<") return merge(map, node, entry.place);
  if (map.node->entries.size() >= kMostKeys) return refuse_size(map.node->place);
  if (const Entry* earlier = map.node->find(entry.key)) {
    return error(entry.place, "the key \"" + entry.key + "\" stands here a second time, first in " +
                                  "line " + std::to_string(earlier->place.line) +
                                  "; remove one of them");
  }
  entry.value = node;
  if (node->kind == Node::Kind::Nothing) {
    // The parser places an absent value at whatever comes next.
    entry.value = std::make_shared<const Node>(Node{.place = entry.place});
  }
  map.node->entries.push_back(std::move(entry));
}

void TreeBuilder::merge(Open& map, const NodePtr& source, const Place& place) {
  if (source->kind == Node::Kind::List) {
    for (const NodePtr& item : source->items) {
      if (item->kind == Node::Kind::List) return error(place, "<< takes a map or a list of maps");
      merge(map, item, place);
    }
    return;
  }
  if (source->kind != Node::Kind::Map) {
    return error(place, "<< takes a map or a list of maps, got " + describe(*source));
  }
  brought_ += source->entries.size();
  if (brought_ > kMostNodes) return refuse_size(place);
  for (const Entry& entry : source->entries) {
    const auto known = [&](const Entry& other) { return other.key == entry.key; };
    const auto& so_far = map.inherited;
    if (std::none_of(so_far.begin(), so_far.end(), known)) map.inherited.push_back(entry);
  }
}

}  // namespace poolwarden::config
