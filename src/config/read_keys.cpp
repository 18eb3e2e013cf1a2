#include "config/read_keys.h"

namespace poolwarden::config {
namespace {

// Of keys and sections: "recycle.at" for "at", "health.ping" for "ping".
std::vector<std::string> named(const std::vector<std::string>& paths, const std::string& name) {
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    const std::string framed = "." + path + ".";
    const std::size_t at = framed.find("." + name + ".");
    if (at == std::string::npos) continue;
    const std::string whole = path.substr(0, at + name.size());
    if (std::find(found.begin(), found.end(), whole) == found.end()) found.push_back(whole);
  }
  return found;
}

}  // namespace

bool KeyNames::is_section(const std::string& path) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const std::string& known) { return known.starts_with(path + "."); });
}

std::vector<std::string> KeyNames::below(const std::string& section) const {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> names;
  for (const std::string& path : paths_) {
    if (!path.starts_with(prefix)) continue;
    const std::string name =
        path.substr(prefix.size(), path.find('.', prefix.size()) - prefix.size());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string KeyNames::cure_of(const std::string& section, const std::string& key) const {
  // A key at the wrong level is more likely meant than one that is spelled differently.
  std::vector<std::string> same_name = named(paths_, key);
  for (const std::string& path : named(elsewhere_, key)) {
    same_name.push_back(before_ + path + after_);
  }
  if (!same_name.empty()) return "did you mean " + one_of(same_name) + "?";
  const std::vector<std::string> siblings = below(section);
  if (const std::optional<std::string> meant = nearest(key, siblings)) {
    return "did you mean \"" + *meant + "\"?";
  }
  return "known here: " + one_of(siblings);
}

bool expect_map(const Cell& cell, const KeyNames& names, const std::string& section) {
  if (cell.node->kind == Node::Kind::Map || cell.node->kind == Node::Kind::Nothing) return true;
  cell.expected("a map with the keys " + one_of(names.below(section)));
  return false;
}

}  // namespace poolwarden::config
