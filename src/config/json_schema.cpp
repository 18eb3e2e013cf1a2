#include "config/json_schema.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "config/key_table.h"

namespace poolwarden::config {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// The value as YAML would read it: numbers and truth values are not texts.
value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::Nothing:
      return nullptr;
    case Node::Kind::Scalar: {
      const bool digits = node.text.find_first_not_of("0123456789") == std::string::npos;
      if (node.text == "true" || node.text == "false") return node.text == "true";
      if (digits && !node.text.empty()) return std::stoll(node.text);
      return value(node.text);
    }
    case Node::Kind::List: {
      array items;
      for (const NodePtr& item : node.items) items.push_back(json_of(*item));
      return items;
    }
    case Node::Kind::Map: {
      object members;
      for (const Entry& entry : node.entries) members[entry.key] = json_of(*entry.value);
      return members;
    }
  }
  return nullptr;
}

object empty_section() {
  return {
      {"type", array{"object", "null"}}, {"properties", object{}}, {"additionalProperties", false}};
}

// The map that holds the key `path`; made on the way down.
object& place_of(object& schema, const std::string& path) {
  object& properties = schema["properties"].as_object();
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return properties;
  value& section = properties[path.substr(0, dot)];
  if (!section.is_object()) section = empty_section();
  return place_of(section.as_object(), path.substr(dot + 1));
}

template <typename Owner>
object schema_of(const KeyTable<Owner>& table, const Owner& defaults) {
  object schema = empty_section();
  for (const Key<Owner>& key : table) {
    object described = key.schema;
    described["description"] = key.description;
    if (const NodePtr value = key.write(defaults)) described["default"] = json_of(*value);
    const std::string name = key.path.substr(key.path.rfind('.') + 1);
    place_of(schema, key.path)[name] = described;
  }
  return schema;
}

void indent(std::string& text, const value& json, std::size_t depth);

template <typename Items, typename Write>
void indent_all(std::string& text, const Items& items, std::size_t depth, const char* brackets,
                Write write) {
  text += brackets[0];
  bool first = true;
  for (const auto& item : items) {
    text += (first ? "\n" : ",\n") + std::string(2 * (depth + 1), ' ');
    first = false;
    write(item);
  }
  if (!first) text += "\n" + std::string(2 * depth, ' ');
  text += brackets[1];
}

void indent(std::string& text, const value& json, std::size_t depth) {
  if (json.is_object()) {
    indent_all(text, json.get_object(), depth, "{}", [&](const auto& member) {
      text += boost::json::serialize(value(member.key())) + ": ";
      indent(text, member.value(), depth + 1);
    });
  } else if (json.is_array()) {
    indent_all(text, json.get_array(), depth, "[]",
               [&](const value& item) { indent(text, item, depth + 1); });
  } else {
    text += boost::json::serialize(json);
  }
}

}  // namespace

std::string json_schema() {
  object schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "poolwarden.yaml"}};
  object server = schema_of(server_keys(), default_settings());
  object& properties = server["properties"].as_object();
  const object pool_reference{{"$ref", "#/$defs/pool"}};
  object& defaults = properties["defaults"].as_object();
  defaults["$ref"] = "#/$defs/pool";
  object& pools = properties["pools"].as_object();
  pools["type"] = "object";
  pools["minProperties"] = 1;
  pools["propertyNames"] = object{{"pattern", "^[A-Za-z0-9_-]{1,64}$"}};
  pools["additionalProperties"] = pool_reference;
  for (const auto& member : server) schema[member.key()] = member.value();
  schema["type"] = "object";
  schema["required"] = array{"pools"};
  schema["$defs"] = object{{"pool", schema_of(pool_keys(), pool::PoolSettings{})}};
  std::string text;
  indent(text, schema, 0);
  return text + "\n";
}

}  // namespace poolwarden::config
