#include "config/effective_settings.h"

#include <yaml-cpp/emitter.h>

#include <algorithm>

#include "config/key_table.h"

namespace poolwarden::config {
namespace {

template <typename Owner>
NodePtr tree_of(const KeyTable<Owner>& table, const Owner& owner) {
  NodePtr tree = make_map({});
  for (const Key<Owner>& key : table) {
    if (const NodePtr value = key.write(owner)) tree = with_value_at(tree, key.path, value);
  }
  return tree;
}

// Numbers with a leading 0 and times of day are read as octal and base 60 by YAML 1.1.
bool other_readers_mistake(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789:") == std::string::npos;
  return digits && text.size() > 1 && (text[0] == '0' || text.find(':') != std::string::npos);
}

bool is_flat(const Node& list) {
  return std::all_of(list.items.begin(), list.items.end(),
                     [](const NodePtr& item) { return item->kind == Node::Kind::Scalar; });
}

void emit(YAML::Emitter& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::Nothing:
      out << YAML::Null;
      return;
    case Node::Kind::Scalar:
      if (other_readers_mistake(node.text)) out << YAML::DoubleQuoted;
      out << node.text;
      return;
    case Node::Kind::List:
      if (is_flat(node)) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const NodePtr& item : node.items) emit(out, *item);
      out << YAML::EndSeq;
      return;
    case Node::Kind::Map:
      out << YAML::BeginMap;
      for (const Entry& entry : node.entries) {
        out << YAML::Key << entry.key << YAML::Value;
        emit(out, *entry.value);
      }
      out << YAML::EndMap;
      return;
  }
}

}  // namespace

std::string effective_yaml(const Settings& settings) {
  NodePtr tree = tree_of(server_keys(), settings);
  std::vector<Entry> pools;
  for (const pool::PoolSettings& pool : settings.pools) {
    pools.push_back({pool.name, {}, tree_of(pool_keys(), pool)});
  }
  tree = with_value_at(tree, "pools", make_map(std::move(pools)));
  YAML::Emitter out;
  emit(out, *tree);
  return std::string(out.c_str()) + "\n";
}

}  // namespace poolwarden::config
