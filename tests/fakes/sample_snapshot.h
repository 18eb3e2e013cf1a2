// A snapshot with one of everything, for tests of what is made from it.

#pragma once

#include <memory>

#include "pool/snapshot.h"

namespace poolwarden::fakes {

using namespace std::chrono_literals;

inline const WallTime kNow = WallTime(std::chrono::seconds(1'800'000'000));

inline std::shared_ptr<pool::PoolSettings> sample_settings() {
  auto settings = std::make_shared<pool::PoolSettings>();
  settings->name = "web";
  settings->worker.command = {"/usr/bin/gunicorn", "--secret=x"};
  settings->worker.identity.user = "www-data";
  settings->routes = {{}};
  settings->workers = {.min = 2, .max = 4};
  return settings;
}

inline pool::WorkerSnapshot sample_worker(std::uint32_t slot, pool::WorkerState state) {
  pool::WorkerSnapshot worker;
  worker.name = {.id = pool::WorkerId{slot + 1},
                 .slot = slot,
                 .generation = 3,
                 .pid = 100 + static_cast<int>(slot)};
  worker.state = state;
  worker.started = kNow - 60s;
  worker.endpoint = "unix:/run/w";
  worker.status_text = "busy \xff";
  worker.board_slot = static_cast<std::int32_t>(slot);
  return worker;
}

inline std::shared_ptr<diagnosis::Certificate> sample_certificate() {
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->pool = "web";
  certificate->pid = 99;
  certificate->ended = kNow - 120s;
  certificate->evidence.status = diagnosis::Signaled{.signal = 11, .dumped_core = false};
  certificate->diagnosis.cause = diagnosis::Cause::Segfault;
  certificate->diagnosis.sentence = "touched memory that is not its own";
  return certificate;
}

inline pool::PoolSnapshot sample_pool() {
  pool::PoolSnapshot pool;
  pool.settings = sample_settings();
  pool.board_slot = 5;
  pool.state = pool::PoolState::Running;
  pool.workers_desired = 3;
  pool.workers = {sample_worker(0, pool::WorkerState::Serving),
                  sample_worker(1, pool::WorkerState::Serving),
                  sample_worker(2, pool::WorkerState::Draining)};
  pool.running_since = kNow - 100s;
  pool.last_state_change = kNow - 100s;
  pool.running_total = 50s;
  pool.window_failures = 1;
  pool.last_failure = kNow - 120s;
  pool.last_certificate = sample_certificate();
  pool.memory_limit = 1024;
  return pool;
}

inline std::shared_ptr<pool::Snapshot> sample_snapshot() {
  auto snapshot = std::make_shared<pool::Snapshot>();
  snapshot->taken = kNow;
  snapshot->supervisor_started = kNow - 1000s;
  snapshot->gateway_pid = 7;
  snapshot->pools = {sample_pool()};
  snapshot->containment.cgroup = "v2_delegated";
  snapshot->listeners = {"0.0.0.0:8080"};
  snapshot->orphans_reaped = 4;
  return snapshot;
}

}  // namespace poolwarden::fakes
