// What a new configuration changes: per pool, and what it takes to put it into effect.

#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace poolwarden::config {

enum class Change {
  Unchanged,
  Live,     // without touching a worker
  Recycle,  // workers are replaced one after the other, overlapped
  Restart,  // the pool is stopped and started
  Add,
  Remove,
};
std::string_view name(Change change);  // "unchanged", "live change", …

struct PoolChange {
  std::string pool;
  Change change = Change::Unchanged;
  std::vector<std::string> keys;  // that differ: "recycle.after_time"; empty for Add and Remove
};

struct Comparison {
  std::vector<PoolChange> pools;  // in the order of the new file, removed ones last
  // Keys at the top of the file that differ: those that take effect at once, and those that cannot
  // change without a restart of poolwarden.
  std::vector<std::string> live;
  std::vector<std::string> fixed;

  bool changes_nothing() const;
};

// A pool whose workers would have to be replaced, but whose recycle.on_config_change is off, is
// Live: workers that start from now on get the new settings.
Comparison compare_settings(const Settings& running, const Settings& wanted);

}  // namespace poolwarden::config
