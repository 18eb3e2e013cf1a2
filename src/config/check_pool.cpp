#include "config/check_pool.h"

#include "config/worker_formats.h"

namespace poolwarden::config {
namespace {

using pool::PoolSettings;
using worker::ConnectMode;

void decide_readiness(const Cell& cell, PoolSettings& pool) {
  const bool given = cell.has("ready.when") || cell.has("ready.http");
  if (!pool.speaks_http()) {
    if (!given) pool.worker.ready.when = worker::WhenStarted{};
    return;
  }
  if (given || pool.worker.connect != ConnectMode::Inherit) return;
  cell.below("connect").error(
      "with connect: inherit the socket takes connections before the worker does, so when it is "
      "ready must be said: add ready: {when: notify}, or ready: {when: {http: /path}}");
}

void check_readiness(const Cell& cell, const PoolSettings& pool) {
  const worker::ReadyWhen& when = pool.worker.ready.when;
  const bool connects = std::holds_alternative<worker::WhenConnect>(when);
  const bool asks = std::holds_alternative<worker::WhenHttp>(when);
  const Cell place = cell.has("ready.http") ? cell.below("ready.http") : cell.below("ready.when");
  if (!pool.speaks_http() && (connects || asks)) {
    place.error(
        "a pool without routes has no socket to connect to; use ready: {when: started} or "
        "{when: notify}, or give it routes");
  }
  const bool inherits = pool.worker.connect == ConnectMode::Inherit;
  if (pool.speaks_http() && inherits && connects && cell.has("ready.when")) {
    place.error(
        "with connect: inherit connecting always succeeds, so this tells nothing; use "
        "{when: notify} or {when: {http: /path}}");
  }
}

void check_ping(const Cell& cell, const PoolSettings& pool) {
  const pool::Ping& ping = pool.health.ping;
  if (cell.has("health.ping") && !ping.http_path && !ping.notify) {
    cell.below("health.ping")
        .error(
            "a ping needs a way: add http: /healthz, which is asked of the worker, or notify: "
            "true, when the worker sends WATCHDOG=1 by itself; or remove ping");
  }
  if (ping.http_path && !pool.speaks_http()) {
    cell.below("health.ping.http")
        .error(
            "a pool without routes has no socket to ask; use ping: {notify: true}, or give it "
            "routes");
  }
}

void check_start(const Cell& cell, const PoolSettings& pool) {
  if (!pool.speaks_http() && pool.start == pool::StartMode::OnDemand) {
    cell.below("start").warning(
        "a pool without routes gets no request that could start it; use always, or manual and "
        "`poolwarden start " +
        pool.name + "`");
  }
}

// What only requests could bring about.
void check_keys_of_requests(const Cell& own, const PoolSettings& pool) {
  if (pool.speaks_http()) return;
  struct Setting {
    const char* path;
    bool on;
  };
  const Setting settings[] = {
      {"recycle.after_requests", pool.recycle.after_requests.has_value()},
      {"queue.recycle_over", pool.queue.recycle_over.has_value()},
      {"idle.after", pool.idle.after.has_value()},
      {"health.deadlock.after", pool.health.deadlock_after.has_value()},
      {"health.request_timeout", pool.health.request_timeout.has_value()},
      {"workers.max", pool.grows()},
  };
  for (const Setting& setting : settings) {
    if (!setting.on || !own.has(setting.path)) continue;
    own.below(setting.path)
        .warning(
            "has no effect in a pool without routes, which gets no requests; remove it, or "
            "give the pool routes");
  }
}

void check_orphan(const Cell& own, const PoolSettings& pool) {
  if (pool.orphan.keep || pool.orphan.action.empty() || !own.has("orphan.action")) return;
  own.below("orphan.action")
      .warning("is never run, for no worker is kept aside; add keep: true, or remove it");
}

// With the defaults alone the limit of the queue comes first too: nobody chose that.
void check_queue(const Cell& cell, const PoolSettings& pool) {
  const std::optional<std::uint32_t>& over = pool.queue.recycle_over;
  if (!cell.has("queue.recycle_over") || !over || *over < pool.queue.limit) return;
  if (!pool.speaks_http()) return;
  cell.below("queue.recycle_over")
      .warning("is never reached: at most " + std::to_string(pool.queue.limit) +
               " requests wait (queue.limit), further ones are refused; set it below queue.limit, "
               "or raise queue.limit");
}

void check_affinity(const Cell& cell, const PoolSettings& pool) {
  const worker::Limits& limits = pool.worker.limits;
  if (!limits.affinity || !limits.affinity_each) return;
  const std::uint32_t cpus = cpus_of(*limits.affinity);
  if (*limits.affinity_each <= cpus) return;
  cell.below("limits.affinity_each")
      .error("limits.affinity names " + std::to_string(cpus) + (cpus == 1 ? " CPU" : " CPUs") +
             ", so a worker cannot have " + std::to_string(*limits.affinity_each) +
             " of them; lower it, or name more CPUs");
}

}  // namespace

void check_pool(const Cell& cell, const Cell& own, PoolSettings& pool) {
  if (!cell.has("command")) {
    cell.error(
        "command is missing; add the program to run, such as command: [gunicorn, "
        "\"app:app\"]");
  }
  decide_readiness(cell, pool);
  check_readiness(cell, pool);
  check_ping(cell, pool);
  check_start(cell, pool);
  check_keys_of_requests(own, pool);
  check_orphan(own, pool);
  check_queue(cell, pool);
  check_affinity(cell, pool);
}

}  // namespace poolwarden::config
