#include "cli/containment.h"

#include <algorithm>

#include "cli/lost_privileges.h"
#include "metrics/status_report.h"

namespace poolwarden::cli {

using pool::EventKind;

namespace {

bool binds_workers(const config::Settings& settings) {
  return std::any_of(settings.pools.begin(), settings.pools.end(), [](auto& pool) {
    return pool.worker.limits.affinity || pool.worker.limits.affinity_each;
  });
}

}  // namespace

Containment::Containment(const std::string& name, const config::Settings& settings,
                         const process::Privileges& privileges)
    : tree_(cgroup::Tree::open({}, name)), missing_(tree_.report().missing) {
  for (std::string& sentence : lost_privileges(settings, privileges)) lost(std::move(sentence));
  if (!binds_workers(settings)) return;
  for (const std::string& sentence : tree_.report().stand_ins) lost(sentence);
}

void Containment::complete(pool::Snapshot& shot) const {
  shot.containment.cgroup = tree_.report().cgroup;
  shot.containment.missing = missing_;
  const std::uint64_t available = tree_.available_memory();
  for (pool::PoolSnapshot& pool : shot.pools) {
    const worker::Limits& limits = pool.settings->worker.limits;
    pool.limits_enforced = !unenforced_.contains(pool.settings->name);
    if (limits.memory) pool.memory_limit = resolve(*limits.memory, available);
    if (limits.memory_high) pool.memory_high = resolve(*limits.memory_high, available);
    for (pool::WorkerSnapshot& worker : pool.workers) {
      worker.cgroup_path =
          pool.settings->name + "/" + cgroup::leaf_name(worker.name.slot, worker.name.generation);
    }
  }
}

std::optional<cgroup::Usage> Containment::worker_usage(const pool::WorkerSnapshot& worker) const {
  const auto slash = worker.cgroup_path.find('/');
  if (slash == std::string::npos) return std::nullopt;
  return tree_.leaf_usage(worker.cgroup_path.substr(0, slash),
                          worker.cgroup_path.substr(slash + 1));
}

boost::json::object Containment::report(const pool::Snapshot& shot,
                                        const link::Scoreboard& board) const {
  return metrics::status_report(
      shot, board, [this](const pool::WorkerSnapshot& worker) { return worker_usage(worker); },
      WallClock::now());
}

void Containment::tell(Telling& telling) const {
  for (const std::string& sentence : missing_)
    telling.tell({EventKind::ContainmentDegraded, "", std::nullopt, sentence});
}

void Containment::limits_unenforced(const std::string& pool,
                                    const std::vector<std::string>& sentences, Telling& telling) {
  if (!unenforced_.insert(pool).second) return;
  for (const std::string& sentence : sentences)
    telling.tell({EventKind::ContainmentDegraded, pool, std::nullopt, sentence});
}

}  // namespace poolwarden::cli
