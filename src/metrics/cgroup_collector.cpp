#include "metrics/cgroup_collector.h"

#include <algorithm>
#include <set>

#include "cgroup/tree.h"
#include "metrics/label_values.h"

namespace poolwarden::metrics {
namespace {

std::vector<std::string> leaves_of(const pool::PoolSnapshot& pool) {
  std::vector<std::string> leaves;
  for (const pool::WorkerSnapshot& worker : pool.workers)
    leaves.push_back(cgroup::leaf_name(worker.name.slot, worker.name.generation));
  return leaves;
}

std::optional<double> plain(const cgroup::Count& count) {
  if (!count) return std::nullopt;
  return static_cast<double>(*count);
}

std::optional<double> from_usec(const cgroup::Count& count) {
  if (!count) return std::nullopt;
  return static_cast<double>(*count) / 1e6;
}

void add_gauge(Samples& samples, Metric metric, const Labels& labels, const cgroup::Count& count) {
  if (count) samples.add(metric, labels, static_cast<double>(*count));
}

void add_gauges(Samples& samples, const Labels& labels, const cgroup::Usage& usage) {
  add_gauge(samples, Metric::MemoryUsage, labels, usage.memory_current);
  if (usage.memory_current) {
    const std::uint64_t cache = usage.memory_inactive_file.value_or(0);
    const std::uint64_t current = *usage.memory_current;
    add_gauge(samples, Metric::MemoryWorkingSet, labels, current - std::min(current, cache));
  }
  add_gauge(samples, Metric::MemoryAnon, labels, usage.memory_anon);
  add_gauge(samples, Metric::MemorySwap, labels, usage.memory_swap);
  add_gauge(samples, Metric::MemoryPeak, labels, usage.memory_peak);
  add_gauge(samples, Metric::Processes, labels, usage.pids_current);
}

// What limits.cpu holds each worker at; nothing where it is only watched.
std::optional<double> cores_of_worker(const worker::Limits& limits) {
  if (!limits.cpu || limits.cpu_action != worker::CpuAction::Throttle) return std::nullopt;
  return limits.cpu->count / 100.0;
}

// A pool whose workers are limited one by one may use the sum.
void add_limits(Samples& samples, const Labels& labels, const pool::PoolSnapshot& pool,
                const cgroup::Usage& usage) {
  const std::uint64_t workers = std::max<std::uint64_t>(1, pool.workers.size());
  const auto limit = [&](const cgroup::Count& of_pool, std::uint64_t of_worker) -> cgroup::Count {
    if (of_pool) return of_pool;
    if (of_worker == 0) return std::nullopt;
    return of_worker * workers;
  };
  add_gauge(samples, Metric::MemoryLimit, labels, limit(usage.memory_limit, pool.memory_limit));
  add_gauge(samples, Metric::MemoryHigh, labels, limit(usage.memory_high, pool.memory_high));
  const worker::Limits& limits = pool.settings->worker.limits;
  add_gauge(samples, Metric::ProcessesLimit, labels,
            limit(usage.pids_limit, limits.pids.value_or(0)));
  std::optional<double> cores = usage.cpu_limit_cores;
  if (!cores && cores_of_worker(limits))
    cores = *cores_of_worker(limits) * static_cast<double>(workers);
  if (cores) samples.add(Metric::CpuLimit, labels, *cores);
}

}  // namespace

void CgroupCollector::count(Samples& samples, Accumulators& counters, Metric metric,
                            const Labels& labels, const std::optional<double>& now) const {
  const auto key = std::pair(metric, labels);
  if (!now && !counters.contains(key)) return;  // this kernel does not tell
  Accumulated& counter = counters[key];
  if (now) {
    if (*now < counter.last) counter.before += counter.last;
    counter.last = *now;
  }
  samples.add(metric, labels, counter.before + counter.last);
}

void CgroupCollector::add_counters(Samples& samples, const std::string& pool,
                                   const cgroup::Usage& usage) const {
  Accumulators& counters = pools_[pool];
  const Labels labels = {{"pool", pool}};
  const auto with = [&](const char* label, std::string_view word) {
    return Labels{{"pool", pool}, {label, std::string(word)}};
  };
  const auto add = [&](Metric metric, const Labels& all, const std::optional<double>& now) {
    count(samples, counters, metric, all, now);
  };
  for (const std::string_view event : kMemoryEvents) {
    if (event == kOomKill) continue;  // see add_oom_kills()
    const auto found = usage.memory_events.find(std::string(event));
    const bool is_told = found != usage.memory_events.end();
    // What the kernel does not tell has not happened, as far as one can know: 0, or as it was.
    counters.try_emplace({Metric::MemoryEvents, with("event", event)});
    add(Metric::MemoryEvents, with("event", event), is_told ? plain(found->second) : std::nullopt);
  }
  add(Metric::CpuSeconds, with("mode", "user"), from_usec(usage.cpu_user_usec));
  add(Metric::CpuSeconds, with("mode", "system"), from_usec(usage.cpu_system_usec));
  add(Metric::CpuPeriods, labels, plain(usage.limit_hits.cpu_periods));
  add(Metric::CpuThrottledPeriods, labels, plain(usage.limit_hits.cpu_throttled_periods));
  add(Metric::CpuThrottledSeconds, labels, from_usec(usage.limit_hits.cpu_throttled_usec));
  add(Metric::ProcessLimitHits, labels, plain(usage.limit_hits.pids));
  const std::pair<const char*, const cgroup::Pressure*> pressures[] = {
      {"cpu", &usage.pressure_cpu}, {"memory", &usage.pressure_memory}, {"io", &usage.pressure_io}};
  for (const auto& [resource, pressure] : pressures) {
    add(Metric::PressureWaiting, with("resource", resource), from_usec(pressure->waiting));
    add(Metric::PressureStalled, with("resource", resource), from_usec(pressure->stalled));
  }
  add(Metric::IoReadBytes, labels, plain(usage.io_read_bytes));
  add(Metric::IoWrittenBytes, labels, plain(usage.io_written_bytes));
}

// Shown without cgroups too: the ends of workers tell of them.
void CgroupCollector::add_oom_kills(Samples& samples, const std::string& pool, std::uint64_t ended,
                                    const std::optional<cgroup::Usage>& usage) const {
  std::uint64_t running = 0;
  if (usage) {
    const auto told = usage->memory_events.find(std::string(kOomKill));
    if (told != usage->memory_events.end()) running = told->second;
  }
  samples.add(Metric::MemoryEvents, {{"pool", pool}, {"event", std::string(kOomKill)}},
              static_cast<double>(oom_kills_.total(pool, ended, running)));
}

void CgroupCollector::add_pool(Samples& samples, const pool::PoolSnapshot& pool) const {
  const std::string& name = pool.settings->name;
  const std::uint64_t ended = oom_kills_.of_ended(name);
  const std::optional<cgroup::Usage> usage = usage_(name, leaves_of(pool));
  add_oom_kills(samples, name, ended, usage);
  if (!usage && !pools_.contains(name)) return;
  add_counters(samples, name, usage.value_or(cgroup::Usage{}));
  if (!usage) return;
  const Labels labels = {{"pool", name}};
  add_gauges(samples, labels, *usage);
  add_limits(samples, labels, pool, *usage);
}

std::vector<prometheus::MetricFamily> CgroupCollector::Collect() const {
  const std::shared_ptr<const pool::Snapshot> snapshot = snapshots_.read();
  if (!snapshot) return {};
  std::lock_guard lock(mutex_);
  Samples samples;
  std::set<std::string> present;
  for (const pool::PoolSnapshot& pool : snapshot->pools) {
    if (!pool.settings) continue;
    present.insert(pool.settings->name);
    add_pool(samples, pool);
  }
  std::erase_if(pools_, [&](const auto& entry) { return !present.contains(entry.first); });
  return samples.take();
}

}  // namespace poolwarden::metrics
