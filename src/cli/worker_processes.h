// Which processes the workers of each pool have: their own, and all that came of them.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "cgroup/tree.h"
#include "pool/snapshot.h"

namespace poolwarden::cli {

// By pool. A worker's cgroup tells of its own; without one, /proc tells who descends from whom.
// May be called from any thread.
std::map<std::string, std::vector<int>> worker_processes(const cgroup::Tree& tree,
                                                         const pool::Snapshot& snapshot);

}  // namespace poolwarden::cli
