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
using enum Applies;

constexpr std::uint32_t kMany = 1'000'000'000;

#define FIELD(member) \
  [](auto& owner) -> auto& { return owner.member; }

template <typename T, typename Field>
void add(Keys& keys, const std::string& path, const Format<T>& format, Field field, Applies applies,
         const std::string& description) {
  keys.push_back(bind<PoolSettings>(path, format, field, applies, description));
}

void add_pool(Keys& keys) {
  add(keys, "routes", routes(), FIELD(routes), Live,
      "The hosts and paths whose requests come to this pool; the most specific route wins. "
      "Without routes the pool speaks no HTTP.");
  add(keys, "workers", worker_count(), FIELD(workers), Live,
      "How many workers: a number; or {min, max} for more when requests wait and fewer when "
      "nothing needs them; 0 for one per usable CPU.");
  add(keys, "start",
      choice<StartMode>({{"always", StartMode::Always},
                         {"on_demand", StartMode::OnDemand},
                         {"manual", StartMode::Manual}}),
      FIELD(start), Live,
      "Whether workers start with the supervisor, with the first request, or when told to.");
  add(keys, "concurrency", whole(1, 65535), FIELD(concurrency), Live,
      "Requests that a worker has in flight at most; further ones wait in the queue.");
  add(keys, "essential", boolean(), FIELD(essential), Live,
      "Whether rapid-fail protection of this pool ends the supervisor, with exit code 10.");
  add(keys, "log_level",
      choice<LogLevel>(
          {{"all", LogLevel::All}, {"errors", LogLevel::Errors}, {"none", LogLevel::None}}),
      FIELD(log_level), Live,
      "Which recycle events are logged: all, those that nobody planned, or none. Metrics count "
      "always.");
}

// How often nothing is asked is not worth writing, and would ask for the way to be given.
template <typename T, typename Field>
void add_of_ping(Keys& keys, const std::string& path, const Format<T>& format, Field field,
                 const std::string& description) {
  add(keys, path, format, field, ToNewWorkers, description);
  keys.back().write = [write = keys.back().write](const PoolSettings& pool) {
    const pool::Ping& ping = pool.health.ping;
    return ping.http_path || ping.notify ? write(pool) : nullptr;
  };
}

void add_health(Keys& keys) {
  add(keys, "health.ping.http", optional(url_path("/healthz")), FIELD(health.ping.http_path),
      ToNewWorkers,
      "The path that is asked of each worker again and again; an answer below 400 is a good one.");
  add_of_ping(
      keys, "health.ping.notify", boolean(), FIELD(health.ping.notify),
      "The worker says by itself that it is well: it sends WATCHDOG=1 (sd_notify), at least "
      "once in health.ping.timeout.");
  add_of_ping(keys, "health.ping.interval", time_span(), FIELD(health.ping.interval),
              "The time between two pings; 30s by default.");
  add_of_ping(keys, "health.ping.timeout", time_span(), FIELD(health.ping.timeout),
              "A worker that has not answered a ping for this long is replaced; 90s by default.");
  add(keys, "health.stack_signal", catchable_signal(), FIELD(health.stack_signal), Live,
      "What a worker that hangs is sent, so that it can write where it hangs; it is killed when "
      "stop.timeout is over.");
  add(keys, "health.deadlock.after", time_limit(), FIELD(health.deadlock_after), Live,
      "A worker that has requests, and answers none for this long while others wait, is replaced.");
  add(keys, "health.deadlock.cooldown", time_span(), FIELD(health.deadlock_cooldown), Live,
      "How long after such a replacement none follows in the same slot.");
  add(keys, "health.request_timeout", time_limit(), FIELD(health.request_timeout), Live,
      "A request that takes longer is answered with 504, and its worker is replaced.");
}

void add_recycle(Keys& keys) {
  add(keys, "recycle.after_requests", large_count_limit(), FIELD(recycle.after_requests), Live,
      "Recycle a worker that has answered so many requests.");
  add(keys, "recycle.after_time", time_limit(), FIELD(recycle.after_time), Live,
      "Recycle a worker at this age.");
  add(keys, "recycle.at", times_of_day(), FIELD(recycle.at), Live,
      "Recycle all workers at these times of day, in local time.");
  add(keys, "recycle.over_memory", size_limit(), FIELD(recycle.over_memory), Live,
      "Recycle a worker that uses more memory than this, everything it started included.");
  add(keys, "recycle.over_virtual_memory", size_limit(), FIELD(recycle.over_virtual_memory), Live,
      "Recycle a worker whose address space is larger than this.");
  add(keys, "recycle.jitter", share(), FIELD(recycle.jitter_percent), Live,
      "Shortens after_time and after_requests by up to this share, for each worker by another "
      "one, so that workers that were started together do not leave together.");
  add(keys, "recycle.overlapped", boolean(), FIELD(recycle.overlapped), Live,
      "Whether the replacement is ready before the old worker stops.");
  add(keys, "recycle.at_once", whole(1, 1024), FIELD(recycle.at_once), Live,
      "Workers of the pool recycled at the same time.");
  add(keys, "recycle.on_config_change", boolean(), FIELD(recycle.on_config_change), Live,
      "Whether a reload recycles running workers when a key that they were started with has "
      "changed; if not, only those that start from then on have it.");
}

void add_idle(Keys& keys) {
  add(keys, "idle.after", time_limit(), FIELD(idle.after), Live,
      "A worker that has had no request for this long is idle.");
  add(keys, "idle.action",
      choice<IdleAction>({{"terminate", IdleAction::Terminate}, {"suspend", IdleAction::Suspend}}),
      FIELD(idle.action), Live,
      "What happens to an idle worker: it is stopped, and another one starts with the next "
      "request; or it is frozen, its memory paged out, and woken by the next request.");
  add(keys, "idle.spare_after", time_span(), FIELD(idle.spare_after), Live,
      "A worker above workers.min that nothing has needed for this long is stopped.");
  add(keys, "idle.under_pressure", share_or_off(), FIELD(idle.under_pressure_percent), Live,
      "A share of the memory that this container may use; as its use comes near, idle.after gets "
      "shorter: from 80% of the share on by half, in steps down to a 32nd part. 0 switches it "
      "off.");
}

void add_queue(Keys& keys) {
  add(keys, "queue.limit", whole(1, kMany), FIELD(queue.limit), Live,
      "Requests that may wait; further ones are answered with 503, queue_full.");
  add(keys, "queue.timeout", time_limit(), FIELD(queue.timeout), Live,
      "A request that has waited this long is answered with 503, queue_timeout.");
  add(keys, "queue.recycle_over", count_limit(), FIELD(queue.recycle_over), Live,
      "More waiting requests than this mean that a worker is stuck: the one that has been silent "
      "for longest is recycled, and its replacement gets those that wait. Reached only when it is "
      "below queue.limit.");
  add(keys, "queue.restart_limit", count_limit(), FIELD(queue.restart_limit), Live,
      "Requests that may wait while the pool restarts after a crash; further ones are answered "
      "with 503, restarting.");
  add(keys, "queue.client_check", time_limit(), FIELD(queue.client_check), Live,
      "Before a request that has waited this long is handed over, its client is checked to be "
      "there still.");
}

void add_failure(Keys& keys) {
  add(keys, "rapid_fail.failures", count_limit(), FIELD(rapid_fail.failures), Live,
      "So many failures within rapid_fail.within take the pool out of service; 0 switches the "
      "protection off.");
  add(keys, "rapid_fail.within", time_span(), FIELD(rapid_fail.within), Live,
      "The sliding window in which failures are counted.");
  add(keys, "rapid_fail.when_open",
      choice<WhenOpen>({{"respond_503", WhenOpen::Respond503}, {"reset", WhenOpen::Reset}}),
      FIELD(rapid_fail.when_open), Live,
      "What clients get then: an answer with 503, or a reset connection for TCP load balancers.");
  add(keys, "rapid_fail.retry_after", time_limit(), FIELD(rapid_fail.retry_after), Live,
      "The Retry-After of these answers; 0 sends none.");
  add(keys, "rapid_fail.action", command_line("[/usr/local/bin/page-me]", true),
      FIELD(rapid_fail.action), Live,
      "A command that is run once when the pool is taken out of service.");
  add(keys, "orphan.keep", boolean(), FIELD(orphan.keep), Live,
      "Whether an unhealthy worker is kept aside for inspection in place of being killed.");
  add(keys, "orphan.action", command_line("[gcore, \"${PID}\"]", true), FIELD(orphan.action), Live,
      "A command that is run for a worker kept aside.");
  add(keys, "orphan.at_most", whole(1, 1000), FIELD(orphan.at_most), Live,
      "Workers of the pool kept aside at the same time.");
}

#undef FIELD

}  // namespace

const KeyTable<PoolSettings>& pool_keys() {
  static const Keys kKeys = [] {
    Keys keys = worker_keys();
    add_pool(keys);
    add_health(keys);
    add_recycle(keys);
    add_idle(keys);
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
