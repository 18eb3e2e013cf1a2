// The one table of everything that poolwarden.yaml may say. Parser, JSON Schema, `check
// --effective`, `plan` and the test of docs/settings.md all work from it.

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "config/format.h"
#include "config/settings.h"

namespace poolwarden::config {

// OnlyDefault: any other value is read, checked and kept, but nothing acts on it yet.
enum class Effect { Now, OnlyDefault };

// What it takes to put a changed value into effect.
enum class Applies {
  Live,          // nothing
  ToNewWorkers,  // a running worker was started with the old value: it is to be replaced
  AfterRestart,  // only when poolwarden itself starts
};

template <typename Owner>
struct Key {
  std::string path;  // below its owner: "recycle.after_time"
  std::string kind;
  std::string description;
  Applies applies;
  Effect effect;
  boost::json::object schema;
  std::function<void(const Cell&, Owner&)> read;
  std::function<NodePtr(const Owner&)> write;  // null: not written
};

template <typename Owner>
using KeyTable = std::vector<Key<Owner>>;

const KeyTable<Settings>& server_keys();
const KeyTable<pool::PoolSettings>& pool_keys();  // of a pool, and of `defaults`
KeyTable<pool::PoolSettings> worker_keys();       // the part of them that is about each worker

const Settings& defaults_of(const Settings*);
const pool::PoolSettings& defaults_of(const pool::PoolSettings*);

void note_not_in_effect(const Cell& cell);

// A key: where it stands, how it is written, which field it fills.
template <typename Owner, typename T, typename Field>
Key<Owner> bind(const std::string& path, const Format<T>& format, Field field, Applies applies,
                const std::string& description, Effect effect = Effect::Now) {
  const auto read = [format, field, effect](const Cell& cell, Owner& owner) {
    const std::optional<T> value = format.read(cell);
    if (!value) return;
    field(owner) = *value;
    const bool is_default = *value == field(defaults_of(&owner));
    if (effect == Effect::OnlyDefault && !is_default) note_not_in_effect(cell);
  };
  const auto write = [format, field](const Owner& owner) { return format.write(field(owner)); };
  return {path, format.kind, description, applies, effect, format.schema, read, write};
}

template <typename Owner>
std::vector<std::string> paths_of(const KeyTable<Owner>& table) {
  std::vector<std::string> paths;
  for (const Key<Owner>& key : table) paths.push_back(key.path);
  return paths;
}

}  // namespace poolwarden::config
