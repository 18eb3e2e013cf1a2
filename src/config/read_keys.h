// Walks a map of the file along the table of keys.

#pragma once

#include "config/key_table.h"

namespace poolwarden::config {

// Names of the keys and sections of a table, for what is not in it.
class KeyNames {
 public:
  // `elsewhere`: keys of another part of the file, to be shown between `before` and `after`.
  KeyNames(std::vector<std::string> paths, std::vector<std::string> elsewhere, std::string before,
           std::string after)
      : paths_(std::move(paths)),
        elsewhere_(std::move(elsewhere)),
        before_(std::move(before)),
        after_(std::move(after)) {}

  bool is_section(const std::string& path) const;
  std::vector<std::string> below(const std::string& section) const;
  // What to write in place of an unknown key.
  std::string cure_of(const std::string& section, const std::string& key) const;

 private:
  std::vector<std::string> paths_;
  std::vector<std::string> elsewhere_;
  std::string before_;
  std::string after_;
};

// Whether the value can be read key by key; complains when it is no map. Nothing is an empty map.
bool expect_map(const Cell& cell, const KeyNames& names, const std::string& section);

template <typename Owner>
void read_keys(const KeyTable<Owner>& table, const KeyNames& names, const Cell& cell, Owner& owner,
               const std::string& section = "") {
  if (!expect_map(cell, names, section)) return;
  for (const Entry& entry : cell.node->entries) {
    const std::string path = join(section, entry.key);
    const Cell value = cell.value_of(entry);
    const auto known = std::find_if(table.begin(), table.end(),
                                    [&](const Key<Owner>& key) { return key.path == path; });
    if (known != table.end()) {
      known->read(value, owner);
    } else if (names.is_section(path)) {
      read_keys(table, names, value, owner, path);
    } else {
      cell.error_at(entry.place, value.path,
                    "unknown key " + quoted(entry.key) + "; " + names.cure_of(section, entry.key));
    }
  }
}

}  // namespace poolwarden::config
