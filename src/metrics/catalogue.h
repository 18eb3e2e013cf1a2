// Every metric: name, type, labels, help. The one place for names; docs/metrics.md, dashboards and
// alert rules are tested against it. (research/metrics.md, section 5)

#pragma once

#include <prometheus/metric_type.h>

#include <string_view>

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
  HttpConnectionsRejected,
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

}  // namespace poolwarden::metrics
