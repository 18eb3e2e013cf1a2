#include "config/lint_settings.h"

#include <algorithm>
#include <optional>

namespace poolwarden::config {
namespace {

using pool::PoolSettings;
using namespace std::chrono_literals;

constexpr Duration kDockerGrace = 10s;

class Lint {
 public:
  Lint(const Settings& settings, const Machine& machine) : settings_(settings), machine_(machine) {}

  std::vector<Finding> run() {
    check_stop_deadlines();
    check_total_memory();
    for (const PoolSettings& pool : settings_.pools) {
      check_overlap_memory(pool);
      check_memory_high(pool);
      check_request_timeout(pool);
      check_queue(pool);
      check_rapid_fail(pool);
      check_idle(pool);
      check_idle_under_pressure(pool);
      check_affinity(pool);
    }
    return std::move(findings_);
  }

 private:
  void warn(const PoolSettings& pool, const std::string& key, const std::string& message) {
    findings_.push_back({Finding::Kind::Warning, 0, 0, "pools." + pool.name + "." + key, message});
  }

  void check_stop_deadlines();
  void check_total_memory();
  void check_overlap_memory(const PoolSettings& pool);
  void check_memory_high(const PoolSettings& pool);
  void check_request_timeout(const PoolSettings& pool);
  void check_queue(const PoolSettings& pool);
  void check_rapid_fail(const PoolSettings& pool);
  void check_idle(const PoolSettings& pool);
  void check_idle_under_pressure(const PoolSettings& pool);
  void check_affinity(const PoolSettings& pool);

  std::uint64_t workers_of(const PoolSettings& pool) const {
    const bool per_cpu = pool.workers.min == 0;
    const std::uint64_t least = per_cpu ? machine_.cpus : pool.workers.min;
    return std::max<std::uint64_t>(least, pool.workers.max);
  }
  // Memory that one worker may use; 0 without a limit.
  std::uint64_t memory_of(const PoolSettings& pool) const {
    const std::optional<Size>& limit = pool.worker.limits.memory;
    return limit ? resolve(*limit, machine_.memory_bytes) : 0;
  }
  std::string memory_there_is() const {
    return format_bytes(machine_.memory_bytes) + " that may be used here";
  }

  const Settings& settings_;
  const Machine& machine_;
  std::vector<Finding> findings_;
};

// Infinite: without limit.
Duration drain_of(const PoolSettings& pool) {
  return pool.speaks_http() ? pool.worker.stop.drain.value_or(Duration::max()) : Duration::zero();
}

Duration timeout_of(const PoolSettings& pool) {
  return pool.worker.stop.timeout.value_or(Duration::max());
}

// Pools with HTTP wait for their requests together, and then all stop at once: the slowest of each
// counts, as in pool::longest_stop.
void Lint::check_stop_deadlines() {
  const auto& pools = settings_.pools;
  if (pools.empty()) return;
  const auto slowest_by = [&](Duration (*time_of)(const PoolSettings&)) {
    return std::max_element(pools.begin(), pools.end(),
                            [&](const auto& a, const auto& b) { return time_of(a) < time_of(b); });
  };
  const auto drains = slowest_by(drain_of);
  const auto stops = slowest_by(timeout_of);
  const Duration drain = drain_of(*drains);
  const Duration timeout = timeout_of(*stops);
  const auto& slowest = drain > timeout ? *drains : *stops;
  if (drain == Duration::max() || timeout == Duration::max()) {
    return warn(slowest, "stop",
                "a stop has no time limit, but Docker kills the container 10s after it asks it to "
                "stop, and Kubernetes after 30s; set stop.drain and stop.timeout");
  }
  const bool serves = std::any_of(pools.begin(), pools.end(),
                                  [](const PoolSettings& pool) { return pool.speaks_http(); });
  const Duration delay =
      serves ? settings_.shutdown.delay.value_or(Duration::zero()) : Duration::zero();
  const Duration total = delay + drain + timeout;
  if (total <= kDockerGrace) return;
  const auto whose = [&](const PoolSettings& pool) {
    return drains == stops || drain == Duration::zero() ? "" : " of pool " + pool.name;
  };
  std::string sum = format_duration(timeout) + " (stop.timeout" + whose(*stops) + ")";
  if (serves) sum = format_duration(drain) + " (stop.drain" + whose(*drains) + ") + " + sum;
  if (delay != Duration::zero()) sum = format_duration(delay) + " (shutdown.delay) + " + sum;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(total).count() + 1;
  const std::string grace = std::to_string(seconds);
  warn(slowest, "stop",
       "a stop may take " + sum + " = " + format_duration(total) +
           ", but Docker kills the container 10s after it asks it to stop; give it time with "
           "docker run --stop-timeout " +
           grace + ", stop_grace_period: " + grace +
           "s (Compose) or terminationGracePeriodSeconds: " + grace + " (Kubernetes)");
}

void Lint::check_overlap_memory(const PoolSettings& pool) {
  const std::uint64_t each = memory_of(pool);
  if (each == 0 || machine_.memory_bytes == 0 || !pool.recycle.overlapped) return;
  const std::uint64_t workers = workers_of(pool);
  const std::uint64_t at_once = std::min<std::uint64_t>(pool.recycle.at_once, workers);
  if ((workers + at_once) <= machine_.memory_bytes / each) return;
  warn(pool, "limits.memory",
       "while workers are recycled there are " + std::to_string(workers) + " + " +
           std::to_string(at_once) + " of them, which may use " +
           std::to_string(workers + at_once) + " x " + format_bytes(each) + ", more than the " +
           memory_there_is() +
           "; lower limits.memory or workers, or set recycle.overlapped: false");
}

void Lint::check_total_memory() {
  std::uint64_t total = 0;
  for (const PoolSettings& pool : settings_.pools) {
    const std::uint64_t each = memory_of(pool);
    if (each > 0 && workers_of(pool) > ~total / each) return;  // told by check_overlap_memory
    total += each * workers_of(pool);
  }
  const bool several = settings_.pools.size() > 1;
  if (!several || machine_.memory_bytes == 0 || total <= machine_.memory_bytes) return;
  findings_.push_back({Finding::Kind::Warning, 0, 0, "pools",
                       "all workers of all pools together may use " + format_bytes(total) +
                           ", more than the " + memory_there_is() +
                           "; lower limits.memory or workers of some"});
}

void Lint::check_memory_high(const PoolSettings& pool) {
  const worker::Limits& limits = pool.worker.limits;
  if (!limits.memory || !limits.memory_high) return;
  const bool comparable =
      machine_.memory_bytes > 0 || limits.memory->index() == limits.memory_high->index();
  const std::uint64_t available = machine_.memory_bytes > 0 ? machine_.memory_bytes : 10000;
  if (!comparable || resolve(*limits.memory_high, available) < resolve(*limits.memory, available)) {
    return;
  }
  warn(pool, "limits.memory_high",
       "memory_high (" + format_size(*limits.memory_high) + ") is not below memory (" +
           format_size(*limits.memory) +
           "), so the kernel kills before it slows down; set it to about 90% of limits.memory");
}

void Lint::check_request_timeout(const PoolSettings& pool) {
  const std::optional<Duration>& request = pool.health.request_timeout;
  const std::optional<Duration>& drain = pool.worker.stop.drain;
  if (!request || !drain || *request <= *drain || !pool.speaks_http()) return;
  warn(pool, "health.request_timeout",
       "a request may take " + format_duration(*request) + ", but a stop waits only " +
           format_duration(*drain) + " (stop.drain) for it: longer ones are cut off by a shutdown");
}

void Lint::check_queue(const PoolSettings& pool) {
  const pool::Queue& queue = pool.queue;
  if (!queue.restart_limit || *queue.restart_limit <= queue.limit) return;
  warn(pool, "queue.restart_limit",
       "restart_limit (" + std::to_string(*queue.restart_limit) + ") is above limit (" +
           std::to_string(queue.limit) + "), which is reached first; lower it");
}

void Lint::check_rapid_fail(const PoolSettings& pool) {
  const pool::RapidFailSettings& rapid_fail = pool.rapid_fail;
  const std::optional<Duration>& timeout = pool.worker.ready.timeout;
  if (!rapid_fail.failures || *rapid_fail.failures < 2 || !timeout) return;
  // Nobody chose these numbers, so nobody is told.
  if (rapid_fail == pool::RapidFailSettings{} && timeout == worker::Ready{}.timeout) return;
  // Each worker of the pool fails by itself, so several of them fill the window faster.
  const auto workers = static_cast<std::int64_t>(std::max<std::uint64_t>(workers_of(pool), 1));
  const std::int64_t failures = *rapid_fail.failures;
  const std::int64_t rounds = (failures + workers - 1) / workers;
  if (*timeout <= rapid_fail.within / std::max<std::int64_t>(rounds - 1, 1) || rounds < 2) return;
  warn(pool, "rapid_fail.within",
       std::to_string(failures) + " start time-outs of " + format_duration(*timeout) +
           " (ready.timeout) do not fit into " + format_duration(rapid_fail.within) +
           ", so a pool that never becomes ready is tried for ever; lengthen rapid_fail.within to "
           "more than " +
           format_duration(*timeout * rounds) + ", or shorten ready.timeout");
}

// Event 5152 of WAS.
void Lint::check_idle(const PoolSettings& pool) {
  const std::optional<Duration>& age = pool.recycle.after_time;
  if (!pool.idle.after || !age || *pool.idle.after < *age) return;
  warn(pool, "idle.after",
       "a worker is recycled at the age of " + format_duration(*age) +
           " (recycle.after_time), so it is never idle for " + format_duration(*pool.idle.after) +
           "; shorten idle.after, or set it to 0");
}

void Lint::check_idle_under_pressure(const PoolSettings& pool) {
  if (!pool.idle.under_pressure_percent || pool.idle.after) return;
  warn(pool, "idle.under_pressure",
       "shortens idle.after, which is off: no worker is ever idle; set idle.after, or remove it");
}

// With limits.affinity this is an error already: what it names does not depend on the machine.
void Lint::check_affinity(const PoolSettings& pool) {
  const worker::Limits& limits = pool.worker.limits;
  if (!limits.affinity_each || limits.affinity || *limits.affinity_each <= machine_.cpus) return;
  warn(pool, "limits.affinity_each",
       "a worker is to have " + std::to_string(*limits.affinity_each) + " CPUs, but only " +
           std::to_string(machine_.cpus) + " may be used here; lower it");
}

}  // namespace

std::vector<Finding> lint_settings(const Settings& settings, const Machine& machine) {
  return Lint(settings, machine).run();
}

}  // namespace poolwarden::config
