// The keys of a pool: how many workers, for which requests, and what happens to them when.

#include "config/key_table.h"
#include "config/plain_formats.h"
#include "config/pool_formats.h"
#include "config/worker_formats.h"

namespace poolwarden::config {
namespace {

using pool::IdleAction;
using pool::LogLevel;
using pool::PoolSettings;
using pool::StartMode;
using pool::WhenOpen;
using Keys = KeyTable<PoolSettings>;

constexpr std::uint32_t kMany = 1'000'000'000;

#define FIELD(member) \
  [](auto& owner) -> auto& { return owner.member; }

template <typename T, typename Field>
void add(Keys& keys, const std::string& path, const Format<T>& format, Field field,
         const std::string& description, Effect effect = Effect::Now) {
  keys.push_back(bind<PoolSettings>(path, format, field, description, effect));
}

void add_pool(Keys& keys) {
  add(keys, "routes", routes(), FIELD(routes),
      "The hosts and paths whose requests come to this pool; the most specific route wins. "
      "Without routes the pool speaks no HTTP.");
  add(keys, "workers", worker_count(), FIELD(workers),
      "How many workers: a number, or {min, max}; 0 for one per usable CPU. Growth from min to "
      "max is not in effect yet.");
  add(keys, "start",
      choice<StartMode>({{"always", StartMode::Always},
                         {"on_demand", StartMode::OnDemand},
                         {"manual", StartMode::Manual}}),
      FIELD(start),
      "Whether workers start with the supervisor, with the first request, or when told to.");
  add(keys, "concurrency", whole(1, 65535), FIELD(concurrency),
      "Requests that a worker has in flight at most; further ones wait in the queue.");
  add(keys, "essential", boolean(), FIELD(essential),
      "Whether rapid-fail protection of this pool ends the supervisor, with exit code 10.");
  add(keys, "log_level",
      choice<LogLevel>(
          {{"all", LogLevel::All}, {"errors", LogLevel::Errors}, {"none", LogLevel::None}}),
      FIELD(log_level), "Which recycle events are logged.", Effect::OnlyDefault);
}

// How often nothing is asked is not worth writing, and would ask for the path to be given.
template <typename T, typename Field>
void add_of_ping(Keys& keys, const std::string& path, const Format<T>& format, Field field,
                 const std::string& description) {
  add(keys, path, format, field, description, Effect::Later);
  keys.back().write = [write = keys.back().write](const PoolSettings& pool) {
    return pool.health.ping.http_path ? write(pool) : nullptr;
  };
}

void add_health(Keys& keys) {
  add(keys, "health.ping.http", optional(url_path("/healthz")), FIELD(health.ping.http_path),
      "The path that is asked of each worker again and again; without it, none is.", Effect::Later);
  add_of_ping(keys, "health.ping.interval", time_span(), FIELD(health.ping.interval),
              "The time between two pings; 30s by default.");
  add_of_ping(keys, "health.ping.timeout", time_span(), FIELD(health.ping.timeout),
              "A worker that has not answered a ping by then is replaced; 90s by default.");
  add(keys, "health.deadlock.after", time_limit(), FIELD(health.deadlock_after),
      "A worker that has requests but has answered none for this long is replaced.", Effect::Later);
  add(keys, "health.deadlock.cooldown", time_span(), FIELD(health.deadlock_cooldown),
      "How long after such a replacement no other follows.", Effect::Later);
  add(keys, "health.request_timeout", time_limit(), FIELD(health.request_timeout),
      "A request that takes longer is answered with 504.");
}

void add_recycle(Keys& keys) {
  add(keys, "recycle.after_requests", large_count_limit(), FIELD(recycle.after_requests),
      "Recycle a worker after so many requests.", Effect::Later);
  add(keys, "recycle.after_time", time_limit(), FIELD(recycle.after_time),
      "Recycle a worker at this age.", Effect::Later);
  add(keys, "recycle.at", times_of_day(), FIELD(recycle.at),
      "Recycle all workers at these times of day, in local time.", Effect::Later);
  add(keys, "recycle.over_memory", size_limit(), FIELD(recycle.over_memory),
      "Recycle a worker that uses more memory than this.", Effect::Later);
  add(keys, "recycle.over_virtual_memory", size_limit(), FIELD(recycle.over_virtual_memory),
      "Recycle a worker whose address space is larger than this.", Effect::Later);
  add(keys, "recycle.jitter", share(), FIELD(recycle.jitter_percent),
      "Spreads after_time and after_requests by up to this share, so that workers started "
      "together are not recycled together.",
      Effect::Later);
  add(keys, "recycle.overlapped", boolean(), FIELD(recycle.overlapped),
      "Whether the replacement is ready before the old worker stops.");
  add(keys, "recycle.at_once", whole(1, 1024), FIELD(recycle.at_once),
      "Workers of the pool recycled at the same time.");
  add(keys, "recycle.on_config_change", boolean(), FIELD(recycle.on_config_change),
      "Whether a changed configuration recycles running workers.", Effect::Later);
  add(keys, "idle.after", time_limit(), FIELD(idle.after),
      "A worker without a request for this long is idle.", Effect::Later);
  add(keys, "idle.action",
      choice<IdleAction>({{"terminate", IdleAction::Terminate}, {"suspend", IdleAction::Suspend}}),
      FIELD(idle.action), "What happens to an idle worker.", Effect::Later);
}

void add_queue(Keys& keys) {
  add(keys, "queue.limit", whole(1, kMany), FIELD(queue.limit),
      "Requests that may wait; further ones are answered with 503, queue_full.");
  add(keys, "queue.timeout", time_limit(), FIELD(queue.timeout),
      "A request that has waited this long is answered with 503, queue_timeout.");
  add(keys, "queue.recycle_over", count_limit(), FIELD(queue.recycle_over),
      "Recycle the workers when more requests than this wait.", Effect::Later);
  add(keys, "queue.restart_limit", count_limit(), FIELD(queue.restart_limit),
      "Requests that may wait while the pool restarts after a crash; further ones are answered "
      "with 503, restarting.");
  add(keys, "queue.client_check", time_limit(), FIELD(queue.client_check),
      "Before a request that has waited this long is handed over, its client is checked to be "
      "there still.");
}

void add_failure(Keys& keys) {
  add(keys, "rapid_fail.failures", count_limit(), FIELD(rapid_fail.failures),
      "So many failures within rapid_fail.within take the pool out of service; 0 switches the "
      "protection off.");
  add(keys, "rapid_fail.within", time_span(), FIELD(rapid_fail.within),
      "The sliding window in which failures are counted.");
  add(keys, "rapid_fail.when_open",
      choice<WhenOpen>({{"respond_503", WhenOpen::Respond503}, {"reset", WhenOpen::Reset}}),
      FIELD(rapid_fail.when_open),
      "What clients get then: an answer with 503, or a reset connection for TCP load balancers.");
  add(keys, "rapid_fail.retry_after", time_limit(), FIELD(rapid_fail.retry_after),
      "The Retry-After of these answers; 0 sends none.");
  add(keys, "rapid_fail.action", command_line("[/usr/local/bin/page-me]", true),
      FIELD(rapid_fail.action),
      "A command that is run once when the pool is taken out of service.");
  add(keys, "orphan.keep", boolean(), FIELD(orphan.keep),
      "Whether an unhealthy worker is kept aside for inspection in place of being killed.",
      Effect::Later);
  add(keys, "orphan.action", command_line("[gcore, \"${PID}\"]", true), FIELD(orphan.action),
      "A command that is run for a worker kept aside.", Effect::Later);
  add(keys, "orphan.at_most", whole(1, 1000), FIELD(orphan.at_most),
      "Workers of the pool kept aside at the same time.", Effect::Later);
}

#undef FIELD

}  // namespace

const KeyTable<PoolSettings>& pool_keys() {
  static const Keys kKeys = [] {
    Keys keys = worker_keys();
    add_pool(keys);
    add_health(keys);
    add_recycle(keys);
    add_queue(keys);
    add_failure(keys);
    return keys;
  }();
  return kKeys;
}

const PoolSettings& defaults_of(const PoolSettings*) {
  static const PoolSettings kDefaults{};
  return kDefaults;
}

}  // namespace poolwarden::config
