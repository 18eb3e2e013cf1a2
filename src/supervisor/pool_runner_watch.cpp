// What a runner hears of its workers, what it looks at, and when.

#include "supervisor/pool_runner.h"

namespace poolwarden::supervisor {

using worker::WorkerId;

worker::Watch PoolRunner::watch() const {
  const pool::PoolSettings& settings = pool_.settings();
  const pool::Ping& ping = settings.health.ping;
  worker::Watch watch;
  watch.ping_path = ping.http_path;
  watch.watchdog = ping.notify;
  watch.ping_interval = ping.interval;
  watch.ping_timeout = ping.timeout;
  const std::uint64_t total = outside_.memory().total;
  if (settings.recycle.over_memory && total > 0)
    watch.memory = resolve(*settings.recycle.over_memory, total);
  return watch;
}

worker::WorkerCallbacks PoolRunner::callbacks_for(WorkerId id) {
  worker::WorkerCallbacks callbacks;
  callbacks.started = [this, id](int pid) { apply(pool_.worker_spawned(id, pid)); };
  callbacks.ready = [this, id](const worker::Endpoint& endpoint) {
    endpoints_[id] = endpoint;
    apply(pool_.worker_ready(id, outside_.now()));
  };
  callbacks.status = [this, id](const std::string& text) { apply(pool_.worker_status(id, text)); };
  callbacks.unhealthy = [this, id](const std::string& reason) {
    apply(pool_.worker_reports_unhealthy(id, reason, outside_.now()));
  };
  callbacks.ping_sent = [this, id] {
    pool_.ping_begun(id, outside_.now());
    arm_timer();
  };
  callbacks.pinged = [this, id](const worker::PingAnswer& answer) {
    outside_.pinged(pool_.settings().name, answer.result, answer.took);
    pool_.ping_ended(id, answer, outside_.now());
    arm_timer();
  };
  callbacks.memory_high = [this] {
    observer_.look_closely();
    observe();
  };
  callbacks.exited = [this, id](const diagnosis::Evidence& evidence) {
    endpoints_.erase(id);
    draining_.erase(id);
    diagnosis::Evidence known = evidence;
    known.requests_served = requests_of(id);
    served_.erase(id);
    apply(pool_.worker_exited(id, known, outside_.now(), WallClock::now()));
  };
  callbacks.post_mortem = [this, id,
                           alive = std::weak_ptr(alive_)](const diagnosis::Evidence& found) {
    if (!alive.expired()) apply(pool_.found_later(id, found));
  };
  return callbacks;
}

void PoolRunner::arm_timer() {
  wakes_at_ = pool_.next_deadline();
  if (!wakes_at_) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*wakes_at_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

// Whom the pool is about to find unhealthy is looked at once more: it may have answered since, or a
// debugger may hold it.
void PoolRunner::tick() {
  if (!pool_.suspects(outside_.now()).empty()) observe();
  const TimePoint now = outside_.now();
  for (const WorkerId id : pool_.suspects(now)) pool_.traced(id, outside_.host.is_traced(id));
  apply(pool_.tick(now));
}

void PoolRunner::arm_observation() {
  const std::optional<Duration> interval = pool_.observation_interval();
  observing_ = interval.has_value();
  if (!interval) return;
  observation_timer_.expires_after(*interval);
  observation_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    observe();
    arm_observation();
  });
}

void PoolRunner::observe() {
  std::map<WorkerId, std::uint32_t> rows;
  for (const auto& [id, published] : published_) rows.emplace(id, published.row);
  const TimePoint now = outside_.now();
  const pool::Observation seen = observer_.observe(pool_.watched(), rows, now);
  const pool::Decision decision = pool_.observe(seen, now, WallClock::now());
  if (!decision.actions.empty() || !decision.events.empty()) return apply(decision);
  arm_timer();  // a watch may have begun
}

}  // namespace poolwarden::supervisor
