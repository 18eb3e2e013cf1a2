#include "cli/worker_processes.h"

#include "process/process_table.h"

namespace poolwarden::cli {

std::map<std::string, std::vector<int>> worker_processes(const cgroup::Tree& tree,
                                                         const pool::Snapshot& snapshot) {
  std::map<std::string, std::vector<int>> found;
  std::vector<process::ProcessEntry> all;  // read when the first worker without a cgroup is met
  for (const pool::PoolSnapshot& pool : snapshot.pools) {
    if (!pool.settings) continue;
    std::vector<int>& pids = found[pool.settings->name];
    for (const pool::WorkerSnapshot& worker : pool.workers) {
      if (worker.name.pid == 0) continue;
      const auto leaf = cgroup::leaf_name(worker.name.slot, worker.name.generation);
      std::vector<int> members = tree.leaf_members(pool.settings->name, leaf);
      if (members.empty()) {
        if (all.empty()) all = process::list_processes();
        members = process::tree_below(all, worker.name.pid);
      }
      pids.insert(pids.end(), members.begin(), members.end());
    }
  }
  return found;
}

}  // namespace poolwarden::cli
