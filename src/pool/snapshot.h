// Pools and workers as they are at one moment: what `status`, the API and state metrics show.
// Values only; published by the supervision thread, read by others.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/event.h"
#include "pool/pool_settings.h"

namespace poolwarden::pool {

enum class PoolState { Stopped, Starting, Running, Stopping };
std::string_view name(PoolState state);

struct WorkerSnapshot {
  WorkerName name;
  WorkerState state = WorkerState::Starting;
  WallTime started;
  std::optional<WallTime> ready;
  std::string endpoint;
  std::string status_text;       // what the worker said of itself
  bool unhealthy = false;        // it hangs, and is being ended or kept for inspection
  std::string cgroup_path;       // of its leaf; empty without cgroups
  std::int32_t board_slot = -1;  // its row in the scoreboard; -1 while it has none
};

struct PoolSnapshot {
  std::shared_ptr<const PoolSettings> settings;
  std::uint32_t board_slot = 0;  // its row in the scoreboard
  PoolState state = PoolState::Stopped;
  std::optional<DisabledReason> disabled;
  std::string disabled_because;  // sentence
  bool removed = false;          // by a reload; it is gone when its workers are
  std::uint32_t workers_desired = 0;
  std::uint32_t workers_min = 0;
  std::uint32_t workers_max = 0;
  std::vector<WorkerSnapshot> workers;
  std::optional<WallTime> running_since;
  WallTime last_state_change;
  Duration running_total{};  // time in Running before running_since
  std::uint32_t window_failures = 0;
  std::optional<WallTime> last_trip;
  std::optional<WallTime> last_failure;
  Duration backoff{};
  std::optional<WallTime> next_start;
  std::optional<WallTime> next_recycle_at;                         // of recycle.at
  std::shared_ptr<const diagnosis::Certificate> last_certificate;  // of an unexpected end
  bool limits_enforced = true;
  std::uint64_t memory_limit = 0;  // bytes per worker, resolved; 0 = none
  std::uint64_t memory_high = 0;
};

struct ContainmentSnapshot {
  std::string cgroup;  // v2_delegated, v2_readonly, v1, hybrid, none
  bool subreaper = false;
  bool pid1 = false;
  std::vector<std::string> missing;  // a sentence for each thing that cannot be had
};

struct Snapshot {
  WallTime taken;
  WallTime supervisor_started;
  bool stopping = false;
  Duration shutdown_delay{};  // a stop serves on for so long first
  int gateway_pid = 0;
  std::uint64_t gateway_restarts = 0;
  std::vector<PoolSnapshot> pools;
  ContainmentSnapshot containment;
  std::vector<std::string> listeners;
  std::uint64_t orphans_reaped = 0;
};

bool can_serve(const PoolSnapshot& pool);
// What keeps it from serving, for people; empty when it can.
std::string why_not_serving(const PoolSnapshot& pool);

// 200 on /readyz: every essential pool, or every pool if none is essential, can serve.
bool is_ready(const Snapshot& snapshot);
// One line: which pools keep it from being ready, and why; empty when it is.
std::string why_not_ready(const Snapshot& snapshot);

}  // namespace poolwarden::pool
