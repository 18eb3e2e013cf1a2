// The whole state as JSON: what `status --json` and /api/v1/status show.

#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "cgroup/usage.h"
#include "link/scoreboard.h"
#include "pool/snapshot.h"

namespace poolwarden::metrics {

// What one worker uses; nullopt where nothing tells.
using WorkerUsage = std::function<std::optional<cgroup::Usage>(const pool::WorkerSnapshot& worker)>;

boost::json::object status_report(const pool::Snapshot& snapshot, const link::Scoreboard& board,
                                  const WorkerUsage& usage, WallTime now);

}  // namespace poolwarden::metrics
