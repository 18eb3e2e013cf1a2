// What contains the workers: their cgroups, and what is known of those that cannot be had.

#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cgroup/tree.h"
#include "cli/telling.h"
#include "config/settings.h"
#include "link/scoreboard.h"
#include "pool/snapshot.h"
#include "process/privileges.h"

namespace poolwarden::cli {

class Containment {
 public:
  // `name` tells supervisors of one machine apart. The settings are those of the start: what they
  // ask for and cannot have is told then.
  Containment(const std::string& name, const config::Settings& settings,
              const process::Privileges& privileges);

  cgroup::Tree& tree() { return tree_; }

  // What limits and cgroups a snapshot is about.
  void complete(pool::Snapshot& shot) const;
  // The whole state as JSON, with what each worker uses now.
  boost::json::object report(const pool::Snapshot& shot, const link::Scoreboard& board) const;

  void lost(std::string sentence) { missing_.push_back(std::move(sentence)); }
  void tell(Telling& telling) const;
  // Told once of each pool, for as long as it is there.
  void limits_unenforced(const std::string& pool, const std::vector<std::string>& sentences,
                         Telling& telling);
  void pool_removed(const std::string& pool) { unenforced_.erase(pool); }

 private:
  std::optional<cgroup::Usage> worker_usage(const pool::WorkerSnapshot& worker) const;

  cgroup::Tree tree_;
  std::vector<std::string> missing_;
  std::set<std::string> unenforced_;  // pools
};

}  // namespace poolwarden::cli
