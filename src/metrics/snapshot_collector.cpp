#include "metrics/snapshot_collector.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/match.h"
#include "metrics/board_rows.h"
#include "metrics/label_values.h"
#include "metrics/samples.h"

namespace poolwarden::metrics {
namespace {

using pool::PoolSnapshot;
using pool::PoolState;

constexpr int kPoolStates = static_cast<int>(PoolState::Stopping) + 1;

const char* word(pool::StartMode mode) {
  switch (mode) {
    case pool::StartMode::Always:
      return "always_running";
    case pool::StartMode::OnDemand:
      return "on_demand";
    case pool::StartMode::Manual:
      return "manual";
  }
  return "unknown";
}

// The program's name without its folder and arguments, which may hold secrets.
std::string runtime_of(const std::vector<std::string>& command) {
  if (command.empty()) return "";
  return command[0].substr(command[0].rfind('/') + 1);
}

bool is_busy(const pool::WorkerSnapshot& worker, const link::Scoreboard& board) {
  const link::WorkerRow* row = worker_row(board, worker.board_slot);
  return row != nullptr && link::load(row->in_flight) > 0;
}

std::optional<Activity> activity_of(const pool::WorkerSnapshot& worker,
                                    const link::Scoreboard& board) {
  switch (worker.state) {
    case worker::WorkerState::Starting:
      return Activity::Starting;
    case worker::WorkerState::Serving:
    case worker::WorkerState::Suspending:
      return is_busy(worker, board) ? Activity::Busy : Activity::Idle;
    case worker::WorkerState::Suspended:
      return Activity::Suspended;
    case worker::WorkerState::Draining:
      return worker.unhealthy ? Activity::Unresponsive : Activity::Draining;
    case worker::WorkerState::Stopping:
    case worker::WorkerState::Killing:
      return worker.unhealthy ? Activity::Unresponsive : Activity::Stopping;
    case worker::WorkerState::Orphaned:
      return Activity::Orphaned;
    case worker::WorkerState::Exited:
      return std::nullopt;
  }
  return std::nullopt;
}

void add_state(Samples& samples, const Labels& labels, const PoolSnapshot& pool, WallTime now) {
  samples.add_one_hot<PoolState>(Metric::PoolState, labels, "state", kPoolStates, pool.state);
  samples.add_one_hot<pool::DisabledReason>(Metric::PoolDisabled, labels, "reason",
                                            pool::kDisabledReasons, pool.disabled);
  samples.add(Metric::PoolStart, labels, pool.running_since);
  samples.add(Metric::PoolLastStateChange, labels, std::optional(pool.last_state_change));
  Duration uptime = pool.running_total;
  if (pool.running_since && now > *pool.running_since) {
    uptime += std::chrono::duration_cast<Duration>(now - *pool.running_since);
  }
  samples.add(Metric::PoolUptime, labels, std::optional(uptime));
  samples.add(Metric::PoolLimitsEnforced, labels, pool.limits_enforced ? 1.0 : 0.0);
  samples.add(Metric::WorkersDesired, labels, static_cast<double>(pool.workers_desired));
  samples.add(Metric::WorkersMin, labels, static_cast<double>(pool.workers_min));
  samples.add(Metric::WorkersLimit, labels, static_cast<double>(pool.workers_max));
}

void add_settings(Samples& samples, const Labels& labels, const pool::PoolSettings& settings) {
  samples.add(Metric::PoolInfo,
              {labels[0],
               {"mode", word(settings.start)},
               {"runtime", runtime_of(settings.worker.command)},
               {"user", settings.worker.identity.user.value_or("")}},
              1);
  samples.add(Metric::PoolStartupTimeout, labels, settings.worker.ready.timeout);
  samples.add(Metric::PoolShutdownTimeout, labels, settings.worker.stop.timeout);
  samples.add(Metric::PoolRequestTimeout, labels, settings.health.request_timeout);
}

void add_workers(Samples& samples, const Labels& labels, const PoolSnapshot& pool,
                 const link::Scoreboard& board) {
  std::array<int, kActivities> counts{};
  std::optional<WallTime> oldest;
  for (const pool::WorkerSnapshot& worker : pool.workers) {
    const std::optional<Activity> activity = activity_of(worker, board);
    if (!activity) continue;
    ++counts[static_cast<std::size_t>(*activity)];
    if (*activity == Activity::Orphaned) continue;  // nobody would recycle it for its age
    oldest = std::min(oldest.value_or(worker.started), worker.started);
  }
  for (std::size_t i = 0; i < kActivities; ++i) {
    samples.add(Metric::Workers, {labels[0], {"state", std::string(kActivityNames[i])}}, counts[i]);
  }
  samples.add(Metric::WorkerOldestStart, labels, oldest);
}

void add_last_failure(Samples& samples, const Labels& labels, const PoolSnapshot& pool) {
  samples.add(Metric::WorkerLastFailure, labels, pool.last_failure);
  if (!pool.last_certificate) return;
  std::string code;
  std::string signal;
  std::visit(Match{
                 [&](const diagnosis::Exited& it) { code = std::to_string(it.code); },
                 [&](const diagnosis::Signaled& it) { signal = diagnosis::signal_name(it.signal); },
                 [](const diagnosis::NotStarted&) {},
             },
             pool.last_certificate->evidence.status);
  const std::string cause(name(pool.last_certificate->diagnosis.cause));
  samples.add(Metric::WorkerLastFailureInfo,
              {labels[0], {"diagnosis", cause}, {"exit_code", code}, {"signal", signal}}, 1);
}

void add_rapid_fail(Samples& samples, const Labels& labels, const PoolSnapshot& pool) {
  const pool::RapidFailSettings& settings = pool.settings->rapid_fail;
  samples.add(Metric::RapidFailEnabled, labels, settings.failures ? 1.0 : 0.0);
  samples.add(Metric::RapidFailWindowFailures, labels, static_cast<double>(pool.window_failures));
  if (settings.failures) {
    samples.add(Metric::RapidFailMaxFailures, labels, static_cast<double>(*settings.failures));
    samples.add(Metric::RapidFailInterval, labels, std::optional(settings.within));
  }
  samples.add(Metric::RapidFailLastTrip, labels, pool.last_trip);
  samples.add(Metric::Backoff, labels, std::optional(pool.backoff));
  samples.add(Metric::NextStart, labels, pool.next_start);
}

void add_totals(Samples& samples, const pool::Snapshot& snapshot) {
  std::map<std::string, int> counts;
  for (const std::string_view state : kPoolTotals) counts.emplace(state, 0);
  for (const PoolSnapshot& pool : snapshot.pools) {
    ++counts[pool.disabled ? "disabled" : std::string(name(pool.state))];
  }
  for (const auto& [state, count] : counts) samples.add(Metric::Pools, {{"state", state}}, count);
  samples.add(Metric::SnapshotTimestamp, {}, std::optional(snapshot.taken));
  samples.add(Metric::GatewayRestarts, {}, static_cast<double>(snapshot.gateway_restarts));
  samples.add(Metric::OrphansReaped, {}, static_cast<double>(snapshot.orphans_reaped));
  const pool::ContainmentSnapshot& containment = snapshot.containment;
  samples.add(Metric::ContainmentInfo,
              {{"cgroup", containment.cgroup},
               {"subreaper", containment.subreaper ? "true" : "false"},
               {"pid1", containment.pid1 ? "true" : "false"}},
              1);
}

}  // namespace

std::vector<prometheus::MetricFamily> SnapshotCollector::Collect() const {
  const std::shared_ptr<const pool::Snapshot> snapshot = snapshots_.read();
  if (!snapshot) return {};
  Samples samples;
  add_totals(samples, *snapshot);
  for (const PoolSnapshot& pool : snapshot->pools) {
    if (!pool.settings) continue;
    const Labels labels = {{"pool", pool.settings->name}};
    // The snapshot's own time: when supervision hangs, uptime does not go on by itself.
    add_state(samples, labels, pool, snapshot->taken);
    add_settings(samples, labels, *pool.settings);
    add_workers(samples, labels, pool, board_);
    add_last_failure(samples, labels, pool);
    add_rapid_fail(samples, labels, pool);
  }
  return samples.take();
}

}  // namespace poolwarden::metrics
