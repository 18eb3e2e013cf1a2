#include "metrics/event_metrics.h"

#include <signal.h>

#include <chrono>

#include "base/match.h"

namespace poolwarden::metrics {
namespace {

using pool::EventKind;

const prometheus::Histogram::BucketBoundaries kStartupBuckets = {.05, .1, .25, .5, 1,  2.5,
                                                                 5,   10, 30,  60, 90, 120};
const prometheus::Histogram::BucketBoundaries kLifetimeBuckets = {
    1, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400, 604800};

const prometheus::Histogram::BucketBoundaries kPingBuckets = {.001, .0025, .005, .01, .025, .05, .1,
                                                              .25,  .5,    1,    2.5, 5,    10};

constexpr int kUsualCodes[] = {0, 1, 2, 78, 126, 127, 255};
constexpr int kUsualSignals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGKILL,
                                 SIGTERM, SIGILL,  SIGFPE, SIGSYS};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Labels code_labels(const std::string& pool, int code) {
  return {{"pool", pool}, {"exit_code", std::to_string(code)}};
}

Labels signal_labels(const std::string& pool, int signal, bool core) {
  return {{"pool", pool},
          {"signal", diagnosis::signal_name(signal)},
          {"core", core ? "true" : "false"}};
}

ExitReason exit_reason(diagnosis::Intent intent) {
  using diagnosis::Intent;
  switch (intent) {
    case Intent::Recycle:
      return ExitReason::Recycle;
    case Intent::Reload:
      return ExitReason::Reload;
    case Intent::PoolStop:
      return ExitReason::PoolStop;
    case Intent::Shutdown:
      return ExitReason::Shutdown;
    case Intent::ScaleDown:
      return ExitReason::ScaleDown;
    case Intent::IdleTimeout:
      return ExitReason::IdleTimeout;
    case Intent::None:
    case Intent::StartupTimeout:
    case Intent::PingTimeout:
    case Intent::RequestTimeout:
    case Intent::Deadlock:
      return ExitReason::Failure;
  }
  return ExitReason::Failure;
}

}  // namespace

std::string_view name(ExitReason reason) {
  switch (reason) {
    case ExitReason::Recycle:
      return "recycle";
    case ExitReason::ScaleDown:
      return "scale_down";
    case ExitReason::IdleTimeout:
      return "idle_timeout";
    case ExitReason::PoolStop:
      return "pool_stop";
    case ExitReason::Reload:
      return "reload";
    case ExitReason::Shutdown:
      return "shutdown";
    case ExitReason::Failure:
      return "failure";
  }
  return "unknown";
}

std::string_view name(ForcedStop reason) {
  switch (reason) {
    case ForcedStop::ShutdownTimeout:
      return "shutdown_timeout";
    case ForcedStop::PingTimeout:
      return "ping_timeout";
    case ForcedStop::RequestTimeout:
      return "request_timeout";
    case ForcedStop::Deadlock:
      return "deadlock";
  }
  return "unknown";
}

std::string_view name(PingFailure reason) {
  switch (reason) {
    case PingFailure::Timeout:
      return "timeout";
    case PingFailure::BadStatus:
      return "bad_status";
    case PingFailure::Io:
      return "io";
  }
  return "unknown";
}

EventMetrics::EventMetrics()
    : starts_(registry_, Metric::WorkerStarts, "reason"),
      start_failures_(registry_, Metric::WorkerStartFailures, "reason"),
      exits_(registry_, Metric::WorkerExits, "reason"),
      failures_(registry_, Metric::WorkerFailures, "diagnosis"),
      forced_stops_(registry_, Metric::WorkerStopsForced, "reason"),
      recycles_(registry_, Metric::WorkerRecycles, "reason"),
      deferrals_(registry_, Metric::WorkerRecyclesDeferred, "reason"),
      pings_(registry_, Metric::WorkerPings),
      ping_failures_(registry_, Metric::WorkerPingFailures, "reason"),
      ping_seconds_(registry_, Metric::WorkerPingDuration, kPingBuckets),
      core_dumps_(registry_, Metric::WorkerCoreDumps),
      shutdown_timeouts_(registry_, Metric::WorkerShutdownTimeouts),
      trips_(registry_, Metric::RapidFailTrips),
      startup_seconds_(registry_, Metric::WorkerStartupDuration, kStartupBuckets),
      lifetime_seconds_(registry_, Metric::WorkerLifetime, kLifetimeBuckets),
      recycle_seconds_(registry_, Metric::WorkerRecycleDuration, kStartupBuckets) {
  auto& events = counter_family(registry_, Metric::Events);
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const pool::EventType& type = pool::type_of(static_cast<EventKind>(i));
    events_[i] = &events.Add(
        {{"event", std::string(type.name)}, {"level", std::string(pool::name(type.level))}});
  }
}

template <typename Visit>
void EventMetrics::for_each_series(Visit visit) {
  visit(starts_);
  visit(start_failures_);
  visit(exits_);
  visit(failures_);
  visit(forced_stops_);
  visit(recycles_);
  visit(deferrals_);
  visit(pings_);
  visit(ping_failures_);
  visit(ping_seconds_);
  visit(core_dumps_);
  visit(shutdown_timeouts_);
  visit(trips_);
  visit(startup_seconds_);
  visit(lifetime_seconds_);
  visit(recycle_seconds_);
}

void EventMetrics::add_pool(const std::string& pool) {
  if (!pools_.insert(pool).second) return;
  for_each_series([&](auto& series) { series.add_pool(pool); });
  for (const int code : kUsualCodes) exit_codes_.create(code_labels(pool, code));
  for (const int signal : kUsualSignals) {
    for (const bool core : {false, true}) exit_signals_.create(signal_labels(pool, signal, core));
  }
  for (const std::string_view hook : kHooks) {
    hook_runs_.create({{"pool", pool}, {"hook", std::string(hook)}});
    hook_failures_.create({{"pool", pool}, {"hook", std::string(hook)}});
  }
}

void EventMetrics::remove_pool(const std::string& pool) {
  if (pools_.erase(pool) == 0) return;
  for_each_series([&](auto& series) { series.remove_pool(pool); });
  oom_kills_.remove_pool(pool);
  for (LateCounters* late : {&exit_codes_, &exit_signals_, &hook_runs_, &hook_failures_}) {
    late->remove_pool(pool);
  }
}

void EventMetrics::record(const pool::Event& event) {
  events_[static_cast<std::size_t>(event.kind)]->Increment();
  if (event.kind == EventKind::PoolAdded) add_pool(event.pool);
  if (pools_.contains(event.pool)) {
    record_kind(event);
    record_details(event);
  }
  if (event.kind == EventKind::PoolRemoved) remove_pool(event.pool);
}

void EventMetrics::record_kind(const pool::Event& event) {
  if (event.kind == EventKind::PoolRapidFail) trips_.increment(event.pool);
  if (event.kind == EventKind::RecycleFailed)
    deferrals_.increment(event.pool, pool::Deferral::StartFailed);
  if (event.kind == EventKind::WorkerStopTimeout) {
    shutdown_timeouts_.increment(event.pool);
    forced_stops_.increment(event.pool, ForcedStop::ShutdownTimeout);
  }
}

// A WATCHDOG=1 message takes no time: nothing was asked.
void EventMetrics::record_ping(const std::string& pool, worker::PingResult result, Duration took) {
  if (!pools_.contains(pool)) return;
  pings_.increment(pool);
  switch (result) {
    case worker::PingResult::Answered:
      if (took > Duration::zero()) ping_seconds_.observe(pool, seconds(took));
      return;
    case worker::PingResult::TimedOut:
      return ping_failures_.increment(pool, PingFailure::Timeout);
    case worker::PingResult::BadStatus:
      return ping_failures_.increment(pool, PingFailure::BadStatus);
    case worker::PingResult::Io:
      return ping_failures_.increment(pool, PingFailure::Io);
  }
}

void EventMetrics::record_details(const pool::Event& event) {
  const std::string& pool = event.pool;
  std::visit(Match{
                 [](std::monostate) {},
                 [&](const pool::StartingDetails& it) { starts_.increment(pool, it.reason); },
                 [&](const pool::ReadyDetails& it) {
                   startup_seconds_.observe(pool, seconds(it.startup));
                 },
                 [&](const pool::ExitDetails& it) { record_exit(pool, it); },
                 [](const pool::PostMortemDetails&) {},  // its end was counted
                 [&](const pool::RecycleDetails& it) { recycles_.increment(pool, it.reason); },
                 [&](const pool::RecycledDetails& it) {
                   recycle_seconds_.observe(pool, seconds(it.took));
                 },
                 [&](const pool::DeferralDetails& it) { deferrals_.increment(pool, it.reason); },
                 [&](const pool::AilmentDetails& it) {
                   if (event.kind != EventKind::WorkerUnhealthy) return;
                   if (it.is_first) recycles_.increment(pool, pool::RecycleReason::Unhealthy);
                   if (it.counts_as_failure) failures_.increment(pool, cause_of(it.ailment));
                 },
                 [](const pool::IdleDetails&) {},
                 [](const pool::ShorteningDetails&) {},
                 [](const pool::DisabledDetails&) {},
                 [&](const pool::HookDetails& it) {
                   const Labels labels = {{"pool", pool}, {"hook", it.hook}};
                   const bool failed = event.kind == EventKind::HookFailed;
                   (failed ? hook_failures_ : hook_runs_).increment(labels);
                 },
             },
             event.details);
}

void EventMetrics::record_exit(const std::string& pool, const pool::ExitDetails& exit) {
  if (exit.start_failure) start_failures_.increment(pool, *exit.start_failure);
  if (!exit.certificate) return;
  const diagnosis::Certificate& certificate = *exit.certificate;
  exits_.increment(pool, exit_reason(certificate.intent));
  oom_kills_.ended(pool, certificate.evidence.oom_kills);
  if (exit.counts_as_failure) failures_.increment(pool, certificate.diagnosis.cause);
  if (certificate.intent == diagnosis::Intent::PingTimeout) {
    forced_stops_.increment(pool, ForcedStop::PingTimeout);
  }
  if (certificate.intent == diagnosis::Intent::RequestTimeout) {
    forced_stops_.increment(pool, ForcedStop::RequestTimeout);
  }
  if (certificate.intent == diagnosis::Intent::Deadlock) {
    forced_stops_.increment(pool, ForcedStop::Deadlock);
  }
  if (certificate.pid != 0) lifetime_seconds_.observe(pool, seconds(certificate.uptime));
  record_status(pool, certificate.evidence.status);
}

void EventMetrics::record_status(const std::string& pool, const diagnosis::ExitStatus& status) {
  std::visit(
      Match{
          [&](const diagnosis::Exited& it) { exit_codes_.increment(code_labels(pool, it.code)); },
          [&](const diagnosis::Signaled& it) {
            exit_signals_.increment(signal_labels(pool, it.signal, it.dumped_core));
            if (it.dumped_core) core_dumps_.increment(pool);
          },
          [](const diagnosis::NotStarted&) {},
      },
      status);
}

std::vector<prometheus::MetricFamily> EventMetrics::Collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  Samples samples;
  for (LateCounters* late : {&exit_codes_, &exit_signals_, &hook_runs_, &hook_failures_}) {
    late->collect(samples);
  }
  for (auto& family : samples.take()) families.push_back(std::move(family));
  return families;
}

}  // namespace poolwarden::metrics
