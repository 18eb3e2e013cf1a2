#include "config/compare_settings.h"

#include <algorithm>

#include "config/key_table.h"

namespace poolwarden::config {
namespace {

using pool::PoolSettings;

bool same(const NodePtr& a, const NodePtr& b);

bool same_entries(const Node& a, const Node& b) {
  const auto equal = [](const Entry& one, const Entry& other) {
    return one.key == other.key && same(one.value, other.value);
  };
  return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), equal);
}

// As values; where they stand does not matter. Null: a key that is not written.
bool same(const NodePtr& a, const NodePtr& b) {
  if (!a || !b) return a == b;
  return a->kind == b->kind && a->text == b->text &&
         std::equal(a->items.begin(), a->items.end(), b->items.begin(), b->items.end(), same) &&
         same_entries(*a, *b);
}

template <typename Owner>
std::vector<const Key<Owner>*> different(const KeyTable<Owner>& table, const Owner& running,
                                         const Owner& wanted) {
  std::vector<const Key<Owner>*> keys;
  for (const Key<Owner>& key : table) {
    if (!same(key.write(running), key.write(wanted))) keys.push_back(&key);
  }
  return keys;
}

Change change_of(const PoolSettings& running, const PoolSettings& wanted,
                 const std::vector<const Key<PoolSettings>*>& keys) {
  if (keys.empty()) return Change::Unchanged;
  // A worker was given a socket, or none, when it was started, and the pool a queue, or none.
  if (running.speaks_http() != wanted.speaks_http()) return Change::Restart;
  const bool concerns_running = std::any_of(keys.begin(), keys.end(), [](const auto* key) {
    return key->applies == Applies::ToNewWorkers;
  });
  return concerns_running && wanted.recycle.on_config_change ? Change::Recycle : Change::Live;
}

PoolChange compare(const PoolSettings& running, const PoolSettings& wanted) {
  const auto keys = different(pool_keys(), running, wanted);
  PoolChange change{wanted.name, change_of(running, wanted, keys), {}};
  for (const auto* key : keys) change.keys.push_back(key->path);
  return change;
}

const PoolSettings* find(const Settings& settings, const std::string& name) {
  const auto found =
      std::find_if(settings.pools.begin(), settings.pools.end(),
                   [&](const PoolSettings& settings_of) { return settings_of.name == name; });
  return found == settings.pools.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name(Change change) {
  switch (change) {
    case Change::Unchanged:
      return "unchanged";
    case Change::Live:
      return "live change";
    case Change::Recycle:
      return "recycle";
    case Change::Restart:
      return "restart";
    case Change::Add:
      return "add";
    case Change::Remove:
      return "remove";
  }
  return "unknown";
}

bool Comparison::changes_nothing() const {
  return live.empty() && fixed.empty() &&
         std::all_of(pools.begin(), pools.end(),
                     [](const PoolChange& pool) { return pool.change == Change::Unchanged; });
}

Comparison compare_settings(const Settings& running, const Settings& wanted) {
  Comparison comparison;
  for (const PoolSettings& pool : wanted.pools) {
    const PoolSettings* before = find(running, pool.name);
    comparison.pools.push_back(before ? compare(*before, pool)
                                      : PoolChange{pool.name, Change::Add, {}});
  }
  for (const PoolSettings& pool : running.pools) {
    if (!find(wanted, pool.name)) comparison.pools.push_back({pool.name, Change::Remove, {}});
  }
  for (const auto* key : different(server_keys(), running, wanted)) {
    if (key->applies == Applies::AfterRestart) comparison.fixed.push_back(key->path);
    if (key->applies == Applies::Live) comparison.live.push_back(key->path);
  }
  return comparison;
}

}  // namespace poolwarden::config
