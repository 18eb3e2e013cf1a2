// Every metric: name, type, labels, help. The one place for names; docs/metrics.md, dashboards and
// alert rules are tested against it. (research/metrics.md, section 5)

#pragma once

#include <prometheus/metric_type.h>

#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::metrics {

enum class Metric {
  // Pools.
  PoolInfo,
  PoolState,
  PoolDisabled,
  PoolStart,
  PoolLastStateChange,
  PoolUptime,
  PoolStartupTimeout,
  PoolShutdownTimeout,
  PoolRequestTimeout,
  PoolLimitsEnforced,
  Pools,
  // Workers.
  Workers,
  WorkersDesired,
  WorkersMin,
  WorkersLimit,
  WorkerStarts,
  WorkerStartFailures,
  WorkerStartupDuration,
  WorkerExits,
  WorkerFailures,
  WorkerExitCodes,
  WorkerExitSignals,
  WorkerCoreDumps,
  WorkerLifetime,
  WorkerLastFailure,
  WorkerLastFailureInfo,
  WorkerOldestStart,
  WorkerShutdownTimeouts,
  WorkerStopsForced,
  WorkerRecycles,
  WorkerRecycleDuration,
  WorkerRecyclesDeferred,
  WorkerPings,
  WorkerPingFailures,
  WorkerPingDuration,
  // Rapid-fail, back-off, hooks.
  RapidFailTrips,
  RapidFailWindowFailures,
  RapidFailMaxFailures,
  RapidFailInterval,
  RapidFailEnabled,
  RapidFailLastTrip,
  Backoff,
  NextStart,
  HookRuns,
  HookFailures,
  // Queue and requests.
  QueueLength,
  QueueLimit,
  QueueOldestAge,
  QueueEnqueued,
  QueueWait,
  QueueRejected,
  HttpRequests,
  HttpRequestDuration,
  HttpUpstreamDuration,
  HttpRequestsInFlight,
  HttpRequestFailures,
  HttpRequestsLost,
  HttpRetries,
  HttpReceivedBytes,
  HttpSentBytes,
  HttpConnections,
  HttpConnectionsAccepted,
  HttpAcceptFailures,
  WebsocketsInFlight,
  // Resources, from cgroups.
  MemoryUsage,
  MemoryWorkingSet,
  MemoryAnon,
  MemorySwap,
  MemoryPeak,
  MemoryLimit,
  MemoryHigh,
  MemoryEvents,
  CpuSeconds,
  CpuPeriods,
  CpuThrottledPeriods,
  CpuThrottledSeconds,
  CpuLimit,
  Processes,
  ProcessesLimit,
  ProcessLimitHits,
  PressureWaiting,
  PressureStalled,
  IoReadBytes,
  IoWrittenBytes,
  OpenFds,
  WorstFdRatio,
  Threads,
  ResidentMemory,
  ContainmentInfo,
  // The supervisor itself.
  BuildInfo,
  ConfigLastReloadSuccessful,
  ConfigLastReloadSuccess,
  ConfigReloads,
  ConfigReloadFailures,
  ConfigInfo,
  Events,
  EventsDropped,
  LogMessages,
  SnapshotTimestamp,
  EventLoopLag,
  EventLoopStalls,
  AdminRequests,
  GatewayRestarts,
  OrphansReaped,
  ScrapeDuration,
  ScrapeSuccess,
  ProcessCpu,
  ProcessOpenFds,
  ProcessMaxFds,
  ProcessVirtualMemory,
  ProcessVirtualMemoryMax,
  ProcessResidentMemory,
  ProcessStart,
  ProcessThreads,
};
inline constexpr int kMetrics = static_cast<int>(Metric::ProcessThreads) + 1;

struct MetricInfo {
  Metric metric;
  prometheus::MetricType type;
  const char* name;
  std::string_view labels;  // "pool, state"
  const char* help;         // one line, no backslash: prometheus-cpp does not escape it
};

const MetricInfo& about(Metric metric);

// The names in `labels`, one by one.
std::vector<std::string> label_names(const MetricInfo& info);

// "counter", as both formats of exposition write it.
std::string_view type_name(prometheus::MetricType type);

}  // namespace poolwarden::metrics
