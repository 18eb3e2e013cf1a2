// What a new configuration changes, and what it takes.

#include "config/compare_settings.h"

#include <set>

#include "config/key_table.h"
#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings settings_of(const std::string& yaml) {
  const Parsed parsed = parse_settings(yaml);
  EXPECT_TRUE(parsed.ok()) << yaml << all_of(parsed.findings);
  return parsed.settings;
}

PoolChange change(const std::string& before, const std::string& after) {
  const Comparison comparison =
      compare_settings(settings_of(pool(before)), settings_of(pool(after)));
  EXPECT_THAT(comparison.fixed, IsEmpty());
  return comparison.pools.at(0);
}

TEST(CompareSettings, FindsNothingInTheSameFile) {
  const std::string yaml = "pools: {web: {command: [a], routes: [{}], environment: {A: b}}}";
  const Comparison comparison = compare_settings(settings_of(yaml), settings_of(yaml));
  EXPECT_TRUE(comparison.changes_nothing());
  ASSERT_EQ(comparison.pools.size(), 1u);
  EXPECT_EQ(comparison.pools[0].change, Change::Unchanged);
}

TEST(CompareSettings, ComparesValuesNotHowTheyAreWritten) {
  EXPECT_EQ(change("recycle: {after_time: 60m}", "recycle:\n  after_time: 1h").change,
            Change::Unchanged);
  EXPECT_EQ(change("stop: {signal: SIGTERM}", "stop: {signal: 15}").change, Change::Unchanged);
  EXPECT_EQ(change("essential: true", "essential: true\nconcurrency: 32").change,
            Change::Unchanged);
}

TEST(CompareSettings, ChangesLiveWhatTheSupervisorAndTheGatewayDecide) {
  for (const char* keys :
       {"workers: 3", "concurrency: 5", "recycle: {after_time: 1h}", "idle: {after: 1m}",
        "queue: {limit: 9, restart_limit: 5}", "stop: {timeout: 1s}", "ready: {timeout: 1s}",
        "essential: true", "health: {request_timeout: 1s}", "log_level: all"}) {
    EXPECT_EQ(change("routes: [{}]", std::string("routes: [{}]\n") + keys).change, Change::Live)
        << keys;
  }
  EXPECT_EQ(change("routes: [{path: /a}]", "routes: [{path: /b}]").change, Change::Live);
}

TEST(CompareSettings, RecyclesForWhatAWorkerGotAtItsStart) {
  for (const char* keys : {"directory: /srv", "environment: {A: b}", "identity: {user: nobody}",
                           "connect: tcp", "threads: {io: 5}", "limits: {memory: 1MiB}",
                           "limits: {affinity_each: 1}", "containment: best_effort",
                           "health: {ping: {http: /x}}", "health: {ping: {notify: true}}"}) {
    EXPECT_EQ(change("routes: [{}]", std::string("routes: [{}]\n") + keys).change, Change::Recycle)
        << keys;
  }
  EXPECT_EQ(change("health: {ping: {notify: true}}", "health: {ping: {notify: true, timeout: 5s}}")
                .change,
            Change::Recycle);
}

TEST(CompareSettings, NamesEachKeyThatDiffers) {
  const PoolChange changed =
      change("routes: [{}]", "routes: [{}]\nenvironment: {A: b}\nstop: {timeout: 1s}\nworkers: 2");
  EXPECT_EQ(changed.change, Change::Recycle);
  EXPECT_THAT(changed.keys, ElementsAre("environment", "stop.timeout", "workers"));
}

TEST(CompareSettings, RecyclesNothingWherePoolsDoNotWantIt) {
  const std::string off = "recycle: {on_config_change: false}";
  EXPECT_EQ(change(off, off + "\ndirectory: /srv").change, Change::Live);
  EXPECT_EQ(change("essential: false", off + "\ndirectory: /srv").change, Change::Live);
  EXPECT_EQ(change(off, "directory: /srv").change, Change::Recycle);
}

TEST(CompareSettings, RestartsAPoolThatBeginsOrCeasesToSpeakHttp) {
  EXPECT_EQ(change("essential: true", "routes: [{}]").change, Change::Restart);
  EXPECT_EQ(change("routes: [{}]", "recycle: {on_config_change: false}").change, Change::Restart);
}

TEST(CompareSettings, AddsAndRemovesPools) {
  const Comparison comparison =
      compare_settings(settings_of("pools: {a: {command: x}, b: {command: x}}"),
                       settings_of("pools: {c: {command: x}, b: {command: x}}"));
  ASSERT_EQ(comparison.pools.size(), 3u);
  const char* const names[] = {"c", "b", "a"};
  const Change changes[] = {Change::Add, Change::Unchanged, Change::Remove};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(comparison.pools[i].pool, names[i]);
    EXPECT_EQ(comparison.pools[i].change, changes[i]);
    EXPECT_THAT(comparison.pools[i].keys, IsEmpty());
  }
  EXPECT_FALSE(comparison.changes_nothing());
}

TEST(CompareSettings, NamesWhatOnlyARestartChanges) {
  const Comparison comparison = compare_settings(
      settings_of("pools: {a: {command: x}}"),
      settings_of("listen: 127.0.0.1:80\nadmin: 127.0.0.1:81\ncontrol: /run/c\nstate: /s\n"
                  "log: {format: json}\ngateway: {user: root}\npools: {a: {command: x}}"));
  EXPECT_THAT(comparison.fixed,
              ElementsAre("listen", "admin", "control", "state", "log.format", "gateway.user"));
  EXPECT_FALSE(comparison.changes_nothing());
}

TEST(CompareSettings, NamesWhatChangesLiveAtTheTopOfTheFile) {
  const Comparison comparison =
      compare_settings(settings_of("pools: {a: {command: x}}"),
                       settings_of("shutdown: {delay: 5s}\npools: {a: {command: x}}"));
  EXPECT_THAT(comparison.live, ElementsAre("shutdown.delay"));
  EXPECT_THAT(comparison.fixed, IsEmpty());
  EXPECT_FALSE(comparison.changes_nothing());
}

TEST(CompareSettings, TellsAKeyWhoseValueIsTheOnlyDifference) {
  // Each key of this pool has another value than its default.
  const Settings rich = settings_of(
      "pools: {w: {command: a, directory: /d, environment: {A: b}, identity: {user: u, groups: "
      "[g], "
      "umask: '007', no_new_privileges: false, capabilities: []}, routes: [{path: /x}], workers: "
      "2, "
      "start: manual, connect: tcp, concurrency: 1, threads: {worker: 1, io: 1}, "
      "ready: {when: notify, timeout: 1s}, stop: {signal: INT, timeout: 1s, drain: 1s, tunnels: "
      "1s}, "
      "health: {ping: {http: /p, notify: true, interval: 1s, timeout: 2s}, stack_signal: USR1, "
      "deadlock: {after: 1s, cooldown: 1s}, request_timeout: 1s}, recycle: {after_requests: 1, "
      "after_time: 1s, at: ['01:00'], over_memory: 1%, over_virtual_memory: 1MiB, jitter: 1%, "
      "overlapped: false, at_once: 2, on_config_change: false}, idle: {after: 1s, action: suspend, "
      "spare_after: 1s, under_pressure: 1%}, queue: {limit: 9, timeout: 1s, recycle_over: 1, "
      "restart_limit: 1, client_check: 1s}, limits: {memory: 1MiB, memory_high: 1kB, cpu: 1%, "
      "cpu_action: log, cpu_window: 1s, cpu_weight: 1, pids: 1, open_files: 1, core: 1, affinity: "
      "'0', "
      "affinity_each: 1}, "
      "containment: best_effort, rapid_fail: {failures: 1, within: 1s, when_open: reset, "
      "retry_after: 1s, action: [x]}, orphan: {keep: true, action: [x], at_most: 2}, "
      "essential: true, log_level: none}}");
  Settings plain = default_settings();
  plain.pools.emplace_back().name = "w";
  const PoolChange changed = compare_settings(plain, rich).pools.at(0);
  std::set<std::string> keys = {"ready.http"};  // written as ready.when
  keys.insert(changed.keys.begin(), changed.keys.end());
  const std::vector<std::string> all = paths_of(pool_keys());
  EXPECT_EQ(keys, std::set<std::string>(all.begin(), all.end()));
}

TEST(Change, HasAName) {
  EXPECT_EQ(name(Change::Live), "live change");
  EXPECT_EQ(name(Change::Remove), "remove");
}

}  // namespace
}  // namespace poolwarden::config
