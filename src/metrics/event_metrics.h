// Turns events into counters and histograms. Pushed to by the supervision thread, never pulling
// state from it: a scrape comes on another thread.

#pragma once

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/late_counters.h"
#include "metrics/oom_kills.h"
#include "metrics/pool_series.h"
#include "pool/event.h"
#include "worker/usage.h"

namespace poolwarden::metrics {

// Labels of poolwarden_worker_exits_total.
enum class ExitReason { Recycle, ScaleDown, IdleTimeout, PoolStop, Reload, Shutdown, Failure };
inline constexpr std::size_t kExitReasons = static_cast<std::size_t>(ExitReason::Failure) + 1;
std::string_view name(ExitReason reason);

// Labels of poolwarden_worker_stops_forced_total.
enum class ForcedStop { ShutdownTimeout, PingTimeout, RequestTimeout, Deadlock };
inline constexpr std::size_t kForcedStops = static_cast<std::size_t>(ForcedStop::Deadlock) + 1;
std::string_view name(ForcedStop reason);

// Labels of poolwarden_worker_ping_failures_total.
enum class PingFailure { Timeout, BadStatus, Io };
inline constexpr std::size_t kPingFailures = static_cast<std::size_t>(PingFailure::Io) + 1;
std::string_view name(PingFailure reason);

// Labels of poolwarden_hook_runs_total.
inline constexpr std::array<std::string_view, 2> kHooks = {"rapid_fail.action", "orphan.action"};

class EventMetrics : public prometheus::Collectable {
 public:
  EventMetrics();

  // All its series exist from here on. The event that a reload added it does the same.
  void add_pool(const std::string& pool);
  // So does the event that a reload removed it. What comes of it later is not counted as its own.
  void remove_pool(const std::string& pool);
  void record(const pool::Event& event);
  void record_ping(const std::string& pool, worker::PingResult result, Duration took);

  // Kept up to date by record(); shown by the collector of the cgroups.
  OomKills& oom_kills() { return oom_kills_; }

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  template <typename Visit>
  void for_each_series(Visit visit);
  void record_kind(const pool::Event& event);
  void record_exit(const std::string& pool, const pool::ExitDetails& exit);
  void record_status(const std::string& pool, const diagnosis::ExitStatus& status);
  void record_details(const pool::Event& event);

  prometheus::Registry registry_;
  std::set<std::string> pools_;

  PoolCounters<pool::StartReason, pool::kStartReasons> starts_;
  PoolCounters<pool::StartFailure, pool::kStartFailures> start_failures_;
  PoolCounters<ExitReason, kExitReasons> exits_;
  PoolCounters<diagnosis::Cause, diagnosis::kCauses> failures_;
  PoolCounters<ForcedStop, kForcedStops> forced_stops_;
  PoolCounters<pool::RecycleReason, pool::kRecycleReasons> recycles_;
  PoolCounters<pool::Deferral, pool::kDeferrals> deferrals_;
  PoolCounter pings_;
  PoolCounters<PingFailure, kPingFailures> ping_failures_;
  PoolHistogram ping_seconds_;
  PoolCounter core_dumps_;
  PoolCounter shutdown_timeouts_;
  PoolCounter trips_;
  PoolHistogram startup_seconds_;
  PoolHistogram lifetime_seconds_;
  PoolHistogram recycle_seconds_;
  std::array<prometheus::Counter*, pool::kEventKinds> events_{};
  OomKills oom_kills_;

  mutable LateCounters exit_codes_{Metric::WorkerExitCodes};
  mutable LateCounters exit_signals_{Metric::WorkerExitSignals};
  mutable LateCounters hook_runs_{Metric::HookRuns};
  mutable LateCounters hook_failures_{Metric::HookFailures};
};

}  // namespace poolwarden::metrics
