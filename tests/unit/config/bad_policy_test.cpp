// Wrong keys of a pool: when its workers are watched, limited, recycled and given up.

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

TEST(BadPolicyKeys, AreToldOfAtTheirPlaces) {
  expect_complaints({
      {pool("health: {ping: {interval: 30s}}"), 4, 20, "pools.web.health.ping",
       "a ping needs a path to ask for: add http: /healthz, or remove ping"},
      {pool("health: {ping: {http: healthz, interval: 0, timeout: infinite}}"), 4, 27,
       "pools.web.health.ping.http",
       "expected a path such as /healthz, got \"healthz\"; it must begin with /"},
      {pool("health: {ping: {http: healthz, interval: 0, timeout: infinite}}"), 4, 46,
       "pools.web.health.ping.interval",
       "expected a duration such as 250ms, 30s or 1h30m, got \"0\"; 0 is too short"},
      {pool("health: {ping: {http: healthz, interval: 0, timeout: infinite}}"), 4, 58,
       "pools.web.health.ping.timeout",
       "expected a duration such as 250ms, 30s or 1h30m, got \"infinite\"; this must end some "
       "time"},
      {pool("recycle: {at: ['3:00']}"), 4, 20, "pools.web.recycle.at[0]",
       "expected a time of day from \"00:00\" to \"23:59\", got \"3:00\""},
      {pool("recycle: {at: ['25:00', '03:00', '04:00', '03:00']}"), 4, 20,
       "pools.web.recycle.at[0]",
       "expected a time of day from \"00:00\" to \"23:59\", got \"25:00\""},
      {pool("recycle: {at: '03:00'}"), 4, 19, "pools.web.recycle.at",
       "expected a list such as [\"03:00\"], got \"03:00\""},
      {pool("recycle: {jitter: 200%}"), 4, 23, "pools.web.recycle.jitter",
       "expected a percentage from 0% to 100%, got \"200%\""},
      {pool("recycle: {over_memory: 160%}"), 4, 28, "pools.web.recycle.over_memory",
       "expected a size such as 512MiB, or 1% to 100% of the memory there is, got \"160%\""},
      {pool("recycle: {after_requests: -1}"), 4, 31, "pools.web.recycle.after_requests",
       "expected a whole number from 1 up, or 0 for no limit, got \"-1\""},
      {pool("recycle: {overlapped: 1}"), 4, 27, "pools.web.recycle.overlapped",
       "expected true or false, got \"1\"; did you mean true?"},
      {pool("recycle: {at_once: 0}"), 4, 24, "pools.web.recycle.at_once",
       "expected a whole number from 1 to 1024, got \"0\""},
      {pool("queue: {limit: 0}"), 4, 20, "pools.web.queue.limit",
       "expected a whole number from 1 up, got \"0\""},
      {pool("limits: {memory: 512M}"), 4, 22, "pools.web.limits.memory",
       "expected a size such as 64KiB, 512MiB, 2GB or 60%, got \"512M\"; did you mean 512MiB?"},
      {pool("limits: {memory: 1.5GiB}"), 4, 22, "pools.web.limits.memory",
       "got \"1.5GiB\"; write whole numbers: 1536MiB, not 1.5GiB"},
      {pool("limits: {memory: 99999999999999999999}"), 4, 22, "pools.web.limits.memory",
       "got \"99999999999999999999\"; the number is too large"},
      {pool("limits: {cpu: 2}"), 4, 19, "pools.web.limits.cpu",
       "expected a percentage of one CPU such as 150%, or 0 for no limit, got \"2\"; did you mean "
       "2%?"},
      {pool("limits: {cpu_action: kil}"), 4, 26, "pools.web.limits.cpu_action",
       "expected throttle, kill or log, got \"kil\"; did you mean \"kill\"?"},
      {pool("limits: {affinity: 1-0}"), 4, 24, "pools.web.limits.affinity",
       "got \"1-0\"; numbers and ranges, with commas and no spaces between"},
      {pool("limits: {affinity: '0, 1'}"), 4, 24, "pools.web.limits.affinity",
       "got \"0, 1\"; numbers and ranges, with commas and no spaces between"},
      {pool("limits: {core: 50%}"), 4, 20, "pools.web.limits.core",
       "expected a size such as 2GiB, 0 for no core files, or infinite, got \"50%\""},
      {pool("limits: {pids: lots}"), 4, 20, "pools.web.limits.pids",
       "expected a whole number from 1 up, or 0 for no limit, got \"lots\""},
      {pool("rapid_fail: {within: 0}"), 4, 26, "pools.web.rapid_fail.within",
       "expected a duration such as 250ms, 30s or 1h30m, got \"0\"; 0 is too short"},
      {pool("rapid_fail: {failures: x}"), 4, 28, "pools.web.rapid_fail.failures",
       "expected a whole number from 1 up, or 0 for no limit, got \"x\""},
      {pool("rapid_fail: {when_open: 503}"), 4, 29, "pools.web.rapid_fail.when_open",
       "expected respond_503 or reset, got \"503\""},
      {pool("rapid_fail: {action: {a: b}}"), 4, 26, "pools.web.rapid_fail.action", "got a map"},
      {pool("essential: maybe"), 4, 16, "pools.web.essential",
       "expected true or false, got \"maybe\""},
      {pool("log_level: info"), 4, 16, "pools.web.log_level",
       "expected all, errors or none, got \"info\""},
      {pool("idle: 20m"), 4, 11, "pools.web.idle",
       "expected a map with the keys after or action, got \"20m\""},
  });
}

}  // namespace
}  // namespace poolwarden::config
