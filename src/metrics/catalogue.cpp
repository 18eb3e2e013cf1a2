#include "metrics/catalogue.h"

#include <array>
#include <cstddef>
#include <sstream>

namespace poolwarden::metrics {
namespace {

using enum Metric;
constexpr auto C = prometheus::MetricType::Counter;
constexpr auto G = prometheus::MetricType::Gauge;
constexpr auto H = prometheus::MetricType::Histogram;

// clang-format off: one row, one metric
constexpr std::array<MetricInfo, kMetrics> kCatalogue = {{
    {PoolInfo, G, "poolwarden_pool_info", "pool, mode, runtime, user",
     "What a pool is: how it starts, the program it runs, the user it runs as."},
    {PoolState, G, "poolwarden_pool_state", "pool, state", "State of a pool; exactly one is 1."},
    {PoolDisabled, G, "poolwarden_pool_disabled", "pool, reason",
     "Why a pool is out of service; all 0 when it is not. rapid_fail: too many failures."},
    {PoolStart, G, "poolwarden_pool_start_timestamp_seconds", "pool",
     "When the pool last came into service."},
    {PoolLastStateChange, G, "poolwarden_pool_last_state_change_timestamp_seconds", "pool",
     "When the state of the pool last changed."},
    {PoolUptime, C, "poolwarden_pool_uptime_seconds_total", "pool",
     "Time in service; its rate is the availability."},
    {PoolStartupTimeout, G, "poolwarden_pool_startup_timeout_seconds", "pool",
     "Configured ready.timeout; left out when there is none."},
    {PoolShutdownTimeout, G, "poolwarden_pool_shutdown_timeout_seconds", "pool",
     "Configured stop.timeout; left out when there is none."},
    {PoolRequestTimeout, G, "poolwarden_pool_request_timeout_seconds", "pool",
     "Configured health.request_timeout; left out when there is none."},
    {PoolLimitsEnforced, G, "poolwarden_pool_limits_enforced", "pool",
     "0 when configured limits cannot be applied here (event containment.degraded)."},
    {Pools, G, "poolwarden_pools", "state",
     "Pools by state; those out of service by rapid-fail and the like count as disabled."},
    {Workers, G, "poolwarden_workers", "pool, state",
     "Workers by state; the sum is all worker processes."},
    {WorkersDesired, G, "poolwarden_workers_desired", "pool", "Workers that the pool wants now."},
    {WorkersMin, G, "poolwarden_workers_min", "pool",
     "Workers that there are at least: workers.min, or what scale said since."},
    {WorkersLimit, G, "poolwarden_workers_limit", "pool",
     "Workers that there are at most: workers.max, or what scale said since."},
    {WorkerStarts, C, "poolwarden_worker_starts_total", "pool, reason",
     "Attempts to start a worker."},
    {WorkerStartFailures, C, "poolwarden_worker_start_failures_total", "pool, reason",
     "Workers that never became ready."},
    {WorkerStartupDuration, H, "poolwarden_worker_startup_duration_seconds", "pool",
     "From fork to ready."},
    {WorkerExits, C, "poolwarden_worker_exits_total", "pool, reason",
     "Ends of workers, each once, by what had been asked of them; failure: nothing had."},
    {WorkerFailures, C, "poolwarden_worker_failures_total", "pool, diagnosis",
     "Ends that count for rapid-fail protection, by what the worker died of."},
    {WorkerExitCodes, C, "poolwarden_worker_exit_codes_total", "pool, exit_code",
     "Ends by exit code; a code seen for the first time shows as 0 once."},
    {WorkerExitSignals, C, "poolwarden_worker_exit_signals_total", "pool, signal, core",
     "Ends by signal; a signal seen for the first time shows as 0 once."},
    {WorkerCoreDumps, C, "poolwarden_worker_core_dumps_total", "pool", "Workers that dumped core."},
    {WorkerLifetime, H, "poolwarden_worker_lifetime_seconds", "pool",
     "Age of workers at their end."},
    {WorkerLastFailure, G, "poolwarden_worker_last_failure_timestamp_seconds", "pool",
     "When a worker last failed; left out before the first failure."},
    {WorkerLastFailureInfo, G, "poolwarden_worker_last_failure_info",
     "pool, diagnosis, exit_code, signal", "What the worker that failed last died of."},
    {WorkerOldestStart, G, "poolwarden_worker_oldest_start_timestamp_seconds", "pool",
     "When the oldest worker was started; left out when there is none."},
    {WorkerShutdownTimeouts, C, "poolwarden_worker_shutdown_timeouts_total", "pool",
     "Workers that did not stop in time and were killed."},
    {WorkerStopsForced, C, "poolwarden_worker_stops_forced_total", "pool, reason",
     "Workers that were killed, by what they had failed to do."},
    {WorkerRecycles, C, "poolwarden_worker_recycles_total", "pool, reason",
     "Recycles, counted when they are triggered."},
    {WorkerRecycleDuration, H, "poolwarden_worker_recycle_duration_seconds", "pool",
     "From the trigger of a recycle until the old worker is gone."},
    {WorkerRecyclesDeferred, C, "poolwarden_worker_recycles_deferred_total", "pool, reason",
     "Recycles that were put off or given up."},
    {WorkerPings, C, "poolwarden_worker_pings_total", "pool",
     "Pings of workers that ended, well or not, and WATCHDOG=1 messages."},
    {WorkerPingFailures, C, "poolwarden_worker_ping_failures_total", "pool, reason",
     "Pings that were not answered, or not well."},
    {WorkerPingDuration, H, "poolwarden_worker_ping_duration_seconds", "pool",
     "How long workers took to answer a ping."},
    {RapidFailTrips, C, "poolwarden_pool_rapid_fail_trips_total", "pool",
     "How often rapid-fail protection took the pool out of service."},
    {RapidFailWindowFailures, G, "poolwarden_pool_rapid_fail_window_failures", "pool",
     "Failures in the window of rapid-fail protection now."},
    {RapidFailMaxFailures, G, "poolwarden_pool_rapid_fail_max_failures", "pool",
     "Configured rapid_fail.failures; left out when the protection is off."},
    {RapidFailInterval, G, "poolwarden_pool_rapid_fail_interval_seconds", "pool",
     "Configured rapid_fail.within; left out when the protection is off."},
    {RapidFailEnabled, G, "poolwarden_pool_rapid_fail_enabled", "pool",
     "Whether rapid-fail protection is on."},
    {RapidFailLastTrip, G, "poolwarden_pool_rapid_fail_last_trip_timestamp_seconds", "pool",
     "When rapid-fail last took the pool out of service; left out before the first time."},
    {Backoff, G, "poolwarden_pool_backoff_seconds", "pool",
     "Delay before the next start that is in force."},
    {NextStart, G, "poolwarden_pool_next_start_timestamp_seconds", "pool",
     "When the next delayed start is due; left out when none is."},
    {HookRuns, C, "poolwarden_hook_runs_total", "pool, hook", "Runs of configured actions."},
    {HookFailures, C, "poolwarden_hook_failures_total", "pool, hook",
     "Configured actions that could not be run or failed."},
    {QueueLength, G, "poolwarden_queue_length", "pool", "Requests that wait for a worker now."},
    {QueueLimit, G, "poolwarden_queue_limit", "pool", "Configured queue.limit."},
    {QueueOldestAge, G, "poolwarden_queue_oldest_request_age_seconds", "pool",
     "How long the oldest waiting request has waited; 0 when none waits."},
    {QueueEnqueued, C, "poolwarden_queue_enqueued_total", "pool",
     "Requests that had to wait for a worker."},
    {QueueWait, H, "poolwarden_queue_wait_seconds", "pool",
     "How long requests waited that were then handed to a worker."},
    {QueueRejected, C, "poolwarden_queue_rejected_total", "pool, reason",
     "Requests that were turned away before they reached a worker."},
    {HttpRequests, C, "poolwarden_http_requests_total", "pool, code",
     "Answers by status code, those of the gateway itself included; pool is empty where no pool is "
     "meant."},
    {HttpRequestDuration, H, "poolwarden_http_request_duration_seconds", "pool",
     "From the request's arrival to the last byte of its answer."},
    {HttpUpstreamDuration, H, "poolwarden_http_upstream_duration_seconds", "pool",
     "From handing the request to a worker to the last byte of its answer."},
    {HttpRequestsInFlight, G, "poolwarden_http_requests_in_flight", "pool",
     "Requests that workers are busy with now."},
    {HttpRequestFailures, C, "poolwarden_http_request_failures_total", "pool, reason",
     "Requests that failed, by reason."},
    {HttpRequestsLost, C, "poolwarden_http_requests_lost_total", "pool, cause",
     "Requests lost to the end of a worker; all causes but worker_died must stay 0."},
    {HttpRetries, C, "poolwarden_http_retries_total", "pool",
     "Requests that were sent to a second worker."},
    {HttpReceivedBytes, C, "poolwarden_http_received_bytes_total", "pool",
     "Bytes received from clients, heads and bodies."},
    {HttpSentBytes, C, "poolwarden_http_sent_bytes_total", "pool", "Bytes sent to clients."},
    {HttpConnections, G, "poolwarden_http_connections", "listener", "Open connections of clients."},
    {HttpConnectionsAccepted, C, "poolwarden_http_connections_accepted_total", "listener",
     "Connections accepted."},
    {HttpAcceptFailures, C, "poolwarden_http_accept_failures_total", "listener",
     "Attempts to accept a connection for which descriptors or memory ran out; it waits in the "
     "backlog."},
    {WebsocketsInFlight, G, "poolwarden_websockets_in_flight", "pool",
     "Upgraded connections (tunnels) that are open now."},
    {MemoryUsage, G, "poolwarden_pool_memory_usage_bytes", "pool",
     "Memory charged to the pool's cgroup, page cache included."},
    {MemoryWorkingSet, G, "poolwarden_pool_memory_working_set_bytes", "pool",
     "Memory charged without the page cache that can be dropped at once."},
    {MemoryAnon, G, "poolwarden_pool_memory_anon_bytes", "pool",
     "Anonymous memory: heaps and stacks."},
    {MemorySwap, G, "poolwarden_pool_memory_swap_bytes", "pool", "Swap in use."},
    {MemoryPeak, G, "poolwarden_pool_memory_peak_bytes", "pool", "Highest memory usage so far."},
    {MemoryLimit, G, "poolwarden_pool_memory_limit_bytes", "pool",
     "Memory that the pool may use; left out when there is no limit."},
    {MemoryHigh, G, "poolwarden_pool_memory_high_bytes", "pool",
     "Memory from which on the pool is slowed down; left out when there is no limit."},
    {MemoryEvents, C, "poolwarden_pool_memory_events_total", "pool, event",
     "Memory events of the kernel; oom_kill: a process was killed. Without a cgroup for each "
     "worker "
     "oom_kill counts the workers that ended so, and the others are left out."},
    {CpuSeconds, C, "poolwarden_pool_cpu_seconds_total", "pool, mode", "CPU time used."},
    {CpuPeriods, C, "poolwarden_pool_cpu_periods_total", "pool",
     "Periods in which the CPU limit of a worker was checked."},
    {CpuThrottledPeriods, C, "poolwarden_pool_cpu_throttled_periods_total", "pool",
     "Periods in which a worker was throttled."},
    {CpuThrottledSeconds, C, "poolwarden_pool_cpu_throttled_seconds_total", "pool",
     "Time for which workers were throttled."},
    {CpuLimit, G, "poolwarden_pool_cpu_limit_cores", "pool",
     "CPUs that the pool may use; left out when there is no limit."},
    {Processes, G, "poolwarden_pool_processes", "pool",
     "Processes and threads in the pool's cgroup."},
    {ProcessesLimit, G, "poolwarden_pool_processes_limit", "pool",
     "Processes and threads that the pool may have; left out when there is no limit."},
    {ProcessLimitHits, C, "poolwarden_pool_process_limit_hits_total", "pool",
     "Forks refused because of the limit."},
    {PressureWaiting, C, "poolwarden_pool_pressure_waiting_seconds_total", "pool, resource",
     "Time in which some task waited for the resource (PSI some)."},
    {PressureStalled, C, "poolwarden_pool_pressure_stalled_seconds_total", "pool, resource",
     "Time in which all tasks waited for the resource (PSI full)."},
    {IoReadBytes, C, "poolwarden_pool_io_read_bytes_total", "pool",
     "Bytes read from block devices."},
    {IoWrittenBytes, C, "poolwarden_pool_io_written_bytes_total", "pool",
     "Bytes written to block devices."},
    {OpenFds, G, "poolwarden_pool_open_fds", "pool",
     "File descriptors that the pool's processes have open; left out where they may not be read."},
    {WorstFdRatio, G, "poolwarden_pool_worst_fd_ratio", "pool",
     "Of the process that is nearest to its limit of file descriptors, the share that is in use."},
    {Threads, G, "poolwarden_pool_threads", "pool", "Threads of the pool's processes."},
    {ResidentMemory, G, "poolwarden_pool_resident_memory_bytes", "pool",
     "Resident memory of the pool's processes; pages that several share count in each of them."},
    {ContainmentInfo, G, "poolwarden_containment_info", "cgroup, subreaper, pid1",
     "What containment this machine or container grants."},
    {BuildInfo, G, "poolwarden_build_info", "version, revision, compiler, build_type",
     "The program that runs."},
    {ConfigLastReloadSuccessful, G, "poolwarden_config_last_reload_successful", "",
     "0 when the last reload was refused; the configuration before it is in effect."},
    {ConfigLastReloadSuccess, G, "poolwarden_config_last_reload_success_timestamp_seconds", "",
     "When the configuration was last taken over: at the start, or by a reload."},
    {ConfigReloads, C, "poolwarden_config_reloads_total", "",
     "Reloads that were asked for, those that were refused included."},
    {ConfigReloadFailures, C, "poolwarden_config_reload_failures_total", "",
     "Reloads that were refused; they changed nothing."},
    {ConfigInfo, G, "poolwarden_config_info", "sha256",
     "Hash of the configuration file that is in effect; left out when there is no file."},
    {Events, C, "poolwarden_events_total", "event, level", "Events by name, as in docs/events.md."},
    {EventsDropped, C, "poolwarden_events_dropped_total", "",
     "Log lines that were dropped because nobody took them in time."},
    {LogMessages, C, "poolwarden_log_messages_total", "level",
     "Log lines by level, dropped ones included."},
    {SnapshotTimestamp, G, "poolwarden_snapshot_timestamp_seconds", "",
     "When the state shown here was taken; old when supervision hangs."},
    {EventLoopLag, H, "poolwarden_event_loop_lag_seconds", "",
     "How late a timer of the supervision thread fired; one fires every 250 ms."},
    {EventLoopStalls, C, "poolwarden_event_loop_stalls_total", "",
     "How often such a timer fired more than 250 ms late."},
    {AdminRequests, C, "poolwarden_admin_requests_total", "command, code",
     "Requests over the control socket that ended; hung_up: the client did not wait for the end."},
    {GatewayRestarts, C, "poolwarden_gateway_restarts_total", "",
     "Gateway processes that ended unexpectedly and were started again."},
    {OrphansReaped, C, "poolwarden_orphans_reaped_total", "",
     "Processes of nobody that were reaped as PID 1 or subreaper."},
    {ScrapeDuration, G, "poolwarden_scrape_collector_duration_seconds", "collector",
     "How long this part of the scrape took."},
    {ScrapeSuccess, G, "poolwarden_scrape_collector_success", "collector",
     "Whether this part of the scrape succeeded."},
    {ProcessCpu, C, "process_cpu_seconds_total", "",
     "CPU time of the supervisor, user and system."},
    {ProcessOpenFds, G, "process_open_fds", "", "Open file descriptors of the supervisor."},
    {ProcessMaxFds, G, "process_max_fds", "", "File descriptors that the supervisor may open."},
    {ProcessVirtualMemory, G, "process_virtual_memory_bytes", "",
     "Virtual memory of the supervisor."},
    {ProcessVirtualMemoryMax, G, "process_virtual_memory_max_bytes", "",
     "Virtual memory that the supervisor may use; left out when there is no limit."},
    {ProcessResidentMemory, G, "process_resident_memory_bytes", "",
     "Resident memory of the supervisor."},
    {ProcessStart, G, "process_start_time_seconds", "",
     "When the supervisor started, in seconds since the epoch."},
    {ProcessThreads, G, "process_threads", "", "Threads of the supervisor."},
}};
// clang-format on

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (static_cast<std::size_t>(kCatalogue[i].metric) != i) return false;
  }
  return true;
}
static_assert(is_in_order(), "each Metric has its row, in the order of the enumeration");

}  // namespace

std::vector<std::string> label_names(const MetricInfo& info) {
  std::vector<std::string> names;
  std::istringstream words{std::string(info.labels)};
  for (std::string word; std::getline(words >> std::ws, word, ',');) names.push_back(word);
  return names;
}

std::string_view type_name(prometheus::MetricType type) {
  using prometheus::MetricType;
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Summary:
      return "summary";
    case MetricType::Untyped:
      return "unknown";
    case MetricType::Histogram:
      return "histogram";
  }
  return "unknown";
}

const MetricInfo& about(Metric metric) { return kCatalogue[static_cast<std::size_t>(metric)]; }

}  // namespace poolwarden::metrics
