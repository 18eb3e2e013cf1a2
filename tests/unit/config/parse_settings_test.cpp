// What right configurations become, and what is told of them besides errors.

#include "config/parse_settings.h"

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Settings settings_of(const std::string& yaml) {
  const Parsed parsed = parse_settings(yaml);
  EXPECT_TRUE(parsed.ok()) << yaml << all_of(parsed.findings);
  return parsed.settings;
}

pool::PoolSettings pool_of(const std::string& keys) {
  const Settings settings = settings_of(pool(keys));
  return settings.pools.empty() ? pool::PoolSettings{} : settings.pools[0];
}

TEST(ParseSettings, TakesDefaultsForAllThatIsLeftOut) {
  const Settings settings = settings_of("pools: {web: {command: [a, b], routes: [{}]}}");
  Settings expected = default_settings();
  expected.pools = {{.name = "web", .worker = {.command = {"a", "b"}}, .routes = {{"*", "/"}}}};
  EXPECT_EQ(settings, expected);
}

TEST(ParseSettings, ReadsTheTopOfTheFile) {
  const Settings settings = settings_of(
      "listen: [0.0.0.0:80, '[::1]:8080', unix:/run/x]\nadmin: 127.0.0.1:0\ncontrol: /run/c\n"
      "log: {format: json, level: debug}\ngateway: {processes: 0, user: 1000}\n"
      "pools: {web: {command: a}}");
  EXPECT_THAT(settings.listen, ElementsAre(Address{"0.0.0.0", 80, ""}, Address{"::1", 8080, ""},
                                           Address{"", 0, "/run/x"}));
  EXPECT_EQ(settings.admin, (Address{"127.0.0.1", 0, ""}));
  EXPECT_EQ(settings.control, "/run/c");
  EXPECT_EQ(settings.log, (Log{LogFormat::Json, Severity::Debug}));
  EXPECT_EQ(settings.gateway, (Gateway{0, "1000"}));
  EXPECT_EQ(settings_of("listen: unix:/a\npools: {w: {command: a}}").listen[0].unix_path, "/a");
}

TEST(ParseSettings, RunsATextByTheShell) {
  const Settings settings = settings_of("pools: {a: {command: echo $$ | cat}}");
  EXPECT_THAT(settings.pools[0].worker.command, ElementsAre("/bin/sh", "-c", "echo $$ | cat"));
}

TEST(ParseSettings, LaysPoolsOverDefaults) {
  const Settings settings = settings_of(
      "defaults:\n  command: [x]\n  environment: {A: 1, B: 2}\n  stop: {timeout: 9s, signal: INT}\n"
      "  routes: [{host: a.org}]\n"
      "pools:\n  web: {environment: {B: 3, C: 4}, stop: {timeout: 1s}}\n"
      "  api: {command: [y], routes: [{path: /api}, {path: /b}]}\n");
  const worker::WorkerSettings& web = settings.pools[0].worker;
  EXPECT_THAT(web.command, ElementsAre("x"));
  EXPECT_EQ(web.environment,
            (std::map<std::string, std::string>{{"A", "1"}, {"B", "3"}, {"C", "4"}}));
  EXPECT_EQ(web.stop.timeout, Duration(1s));
  EXPECT_EQ(web.stop.signal, 2);
  EXPECT_THAT(settings.pools[1].routes,
              ElementsAre(pool::Route{"*", "/api"}, pool::Route{"*", "/b"}));
}

TEST(ParseSettings, TakesAPoolThatIsAllDefaults) {
  EXPECT_EQ(settings_of("defaults: {command: [x]}\npools: {a: , b: {}}").pools.size(), 2u);
}

TEST(ParseSettings, TakesAliasesAndMergeKeys) {
  const Settings settings = settings_of(
      "pools:\n  a: &a {command: [x], workers: 2, concurrency: 5}\n"
      "  b: {<<: *a, workers: 3}\n  c: *a\n  d: {<<: [*a, {essential: true}], command: [y]}\n");
  EXPECT_EQ(settings.pools[1].workers.min, 3u);
  EXPECT_EQ(settings.pools[1].concurrency, 5u);
  EXPECT_EQ(settings.pools[2].workers.min, 2u);
  EXPECT_THAT(settings.pools[3].worker.command, ElementsAre("y"));
  EXPECT_TRUE(settings.pools[3].essential);
}

TEST(ParseSettings, ReadsWhenAWorkerIsReady) {
  const std::string routes = "routes: [{}]\n";
  const auto when = [&](const std::string& keys) { return pool_of(keys).worker.ready.when; };
  using When = worker::ReadyWhen;
  EXPECT_EQ(when(routes + "ready: {when: notify}"), When(worker::WhenNotify{}));
  EXPECT_EQ(when(routes + "ready: {when: started}"), When(worker::WhenStarted{}));
  EXPECT_EQ(when(routes + "ready: {when: {http: /h}}"), When(worker::WhenHttp{"/h"}));
  EXPECT_EQ(when(routes + "ready: {when: \"http: /h\"}"), When(worker::WhenHttp{"/h"}));
  EXPECT_EQ(when(routes + "ready: {when: http:/h}"), When(worker::WhenHttp{"/h"}));
  EXPECT_EQ(when(routes + "ready: {http: \"/h?x=1\"}"), When(worker::WhenHttp{"/h?x=1"}));
  EXPECT_EQ(when(routes + "connect: inherit\nready: {http: /h}"), When(worker::WhenHttp{"/h"}));
  EXPECT_EQ(when(routes + "ready: {timeout: 1s}"), When(worker::WhenConnect{}));
  EXPECT_EQ(when("ready: {timeout: 1s}"), When(worker::WhenStarted{})) << "a pool without routes";
  EXPECT_EQ(when("connect: inherit"), When(worker::WhenStarted{})) << "a pool without routes";
}

TEST(ParseSettings, LetsAPoolSayReadinessOtherwiseThanTheDefaults) {
  const Settings settings = settings_of(
      "defaults: {command: [x], ready: {when: notify}}\n"
      "pools: {a: {routes: [{}], ready: {http: /x}}, b: {}}");
  EXPECT_EQ(settings.pools[0].worker.ready.when, worker::ReadyWhen(worker::WhenHttp{"/x"}));
  EXPECT_EQ(settings.pools[1].worker.ready.when, worker::ReadyWhen(worker::WhenNotify{}));
}

TEST(ParseSettings, ReadsWorkerCounts) {
  const auto count = [](const std::string& text) { return pool_of("workers: " + text).workers; };
  EXPECT_EQ(count("3"), (pool::WorkerCount{3, 3}));
  EXPECT_EQ(count("0"), (pool::WorkerCount{0, 0}));
  EXPECT_EQ(count("{min: 2}"), (pool::WorkerCount{2, 2}));
  EXPECT_EQ(count("{max: 2}"), (pool::WorkerCount{1, 2}));
  EXPECT_EQ(count("{min: 0, max: 4}"), (pool::WorkerCount{0, 4}));
}

TEST(ParseSettings, ReadsIdentity) {
  const worker::Identity identity =
      pool_of(
          "identity: {user: www, groups: [a, 5], umask: 022, no_new_privileges: false, "
          "capabilities: [net_bind_service, CAP_KILL]}")
          .worker.identity;
  EXPECT_EQ(identity.user, "www");
  EXPECT_THAT(identity.groups, ElementsAre("a", "5"));
  EXPECT_EQ(identity.umask, 022u);
  EXPECT_FALSE(identity.no_new_privileges);
  EXPECT_THAT(*identity.capabilities, ElementsAre("CAP_NET_BIND_SERVICE", "CAP_KILL"));
  EXPECT_THAT(*pool_of("identity: {capabilities: []}").worker.identity.capabilities, IsEmpty());
  EXPECT_EQ(pool_of("identity: {}").worker.identity.capabilities, std::nullopt);
  EXPECT_EQ(pool_of("identity: {umask: \"0027\"}").worker.identity.umask, 027u);
}

TEST(ParseSettings, ReadsSignalsByNameAndNumber) {
  const auto signal = [](const std::string& text) {
    return pool_of("stop: {signal: " + text + "}").worker.stop.signal;
  };
  for (const char* text : {"SIGTERM", "TERM", "term", "15"}) EXPECT_EQ(signal(text), 15) << text;
  EXPECT_EQ(signal("SIGQUIT"), 3);
  EXPECT_EQ(signal("SIGWINCH"), 28);
  EXPECT_EQ(signal("37"), 37);
}

TEST(ParseSettings, ReadsLimits) {
  const worker::Limits limits =
      pool_of(
          "limits: {memory: 50%, memory_high: 1MiB, cpu: 150%, cpu_action: kill, cpu_window: 90s, "
          "cpu_weight: 50, pids: 9, "
          "open_files: 1024, core: infinite, affinity: \"0-1,4\"}")
          .worker.limits;
  const worker::Limits expected{.memory = Percent{50},
                                .memory_high = Bytes{1048576},
                                .cpu = Percent{150},
                                .cpu_action = worker::CpuAction::Kill,
                                .cpu_window = 90s,
                                .cpu_weight = 50,
                                .pids = 9,
                                .open_files = 1024,
                                .core = worker::kUnlimitedCore,
                                .affinity = "0-1,4"};
  EXPECT_EQ(limits, expected);
}

TEST(ParseSettings, SwitchesLimitsOffByZeroAndInfinite) {
  for (const std::string off : {"0", "infinite"}) {
    const pool::PoolSettings pool =
        pool_of("limits: {memory: " + off + ", cpu: " + off + ", pids: " + off +
                "}\nstop: {timeout: " + off + "}\nrecycle: {over_memory: " + off +
                "}\nqueue: {restart_limit: " + off + "}\nrapid_fail: {failures: " + off + "}");
    EXPECT_EQ(pool.worker.limits, worker::Limits{}) << off;
    EXPECT_EQ(pool.worker.stop.timeout, std::nullopt);
    EXPECT_EQ(pool.recycle.over_memory, std::nullopt);
    EXPECT_EQ(pool.queue.restart_limit, std::nullopt);
    EXPECT_EQ(pool.rapid_fail.failures, std::nullopt);
  }
  EXPECT_EQ(pool_of("limits: {core: 0}").worker.limits.core, std::nullopt);
}

TEST(ParseSettings, NormalizesRoutes) {
  EXPECT_THAT(pool_of("routes: [{host: \"*.Example.ORG\", path: /Api/}, {path: /}]").routes,
              ElementsAre(pool::Route{"*.example.org", "/Api"}, pool::Route{"*", "/"}));
}

TEST(ParseSettings, TellsWhatIsNotInEffectYet) {
  const Parsed parsed = parse_settings("gateway: {processes: 2}\n" + pool("essential: true"));
  EXPECT_TRUE(parsed.ok());
  ASSERT_EQ(parsed.findings.size(), 1u) << all_of(parsed.findings);
  EXPECT_EQ(parsed.findings[0].kind, Finding::Kind::NotInEffect);
  EXPECT_EQ(parsed.findings[0].path, "gateway.processes");
  EXPECT_THAT(parse_settings("gateway: {processes: 1}\n" + pool("essential: true")).findings,
              IsEmpty());
}

TEST(ParseSettings, ReadsHowAWorkerTellsThatItIsWell) {
  const pool::Health health =
      pool_of("health: {ping: {notify: true, timeout: 10s}, stack_signal: USR1}").health;
  EXPECT_TRUE(health.ping.notify);
  EXPECT_EQ(health.ping.http_path, std::nullopt);
  EXPECT_EQ(health.ping.timeout, Duration(10s));
  EXPECT_EQ(health.stack_signal, 10);
  EXPECT_EQ(pool_of("essential: true").health.stack_signal, 6);
}

TEST(ParseSettings, ReadsIdlenessAndTunnels) {
  const pool::PoolSettings pool =
      pool_of("idle: {after: 20m, under_pressure: 80%, spare_after: 10s}\nstop: {tunnels: 5s}");
  EXPECT_EQ(pool.idle.under_pressure_percent, 80u);
  EXPECT_EQ(pool.idle.spare_after, Duration(10s));
  EXPECT_EQ(pool.worker.stop.tunnels, Duration(5s));
  for (const char* off : {"0", "0%", "infinite"}) {
    const auto idle = pool_of(std::string("idle: {under_pressure: ") + off + "}").idle;
    EXPECT_EQ(idle.under_pressure_percent, std::nullopt) << off;
  }
  EXPECT_EQ(pool_of("stop: {tunnels: 0}").worker.stop.tunnels, std::nullopt);
}

TEST(ParseSettings, ReadsHowManyCpusEachWorkerHas) {
  const auto each = [](const std::string& limits) {
    return pool_of("limits: " + limits).worker.limits.affinity_each;
  };
  EXPECT_EQ(each("{affinity: \"0-1,4\", affinity_each: 3}"), 3u);
  EXPECT_EQ(each("{affinity_each: 1}"), 1u);
  EXPECT_EQ(each("{affinity_each: 0}"), std::nullopt);
}

std::vector<std::string> warnings(const std::string& yaml) {
  const Parsed parsed = parse_settings(yaml);
  EXPECT_TRUE(parsed.ok()) << yaml << all_of(parsed.findings);
  std::vector<std::string> texts;
  for (const Finding& finding : parsed.findings) {
    EXPECT_EQ(finding.kind, Finding::Kind::Warning);
    texts.push_back(finding.path + ": " + finding.message);
  }
  return texts;
}

TEST(ParseSettings, WarnsOfWhatNeedsRequestsInAPoolWithoutRoutes) {
  const std::string all =
      "recycle: {after_requests: 5}\nqueue: {recycle_over: 9}\nidle: {after: 1m}\n"
      "health: {deadlock: {after: 1m}, request_timeout: 9s}\nworkers: {max: 3}";
  const auto told = warnings(pool(all));
  ASSERT_EQ(told.size(), 6u);
  for (std::size_t i = 0; i < told.size(); ++i) {
    const char* const paths[] = {"recycle.after_requests", "queue.recycle_over",     "idle.after",
                                 "health.deadlock.after",  "health.request_timeout", "workers.max"};
    EXPECT_THAT(told[i], HasSubstr(std::string(paths[i]) + ": has no effect in a pool without"));
  }
  EXPECT_THAT(warnings(pool("routes: [{}]\n" + all)), IsEmpty());
  EXPECT_THAT(warnings(pool("health: {deadlock: {after: 0}}\nidle: {after: 0}")), IsEmpty());
}

TEST(ParseSettings, TakesDefaultsForThePoolsThatTheyFit) {
  EXPECT_THAT(warnings("defaults: {command: [a], idle: {after: 1m}, orphan: {action: [x]}}\n"
                       "pools: {web: {routes: [{}]}, job: {}}"),
              IsEmpty());
}

TEST(ParseSettings, WarnsOfAnActionThatIsNeverRun) {
  EXPECT_THAT(warnings(pool("orphan: {action: [gcore]}")),
              ElementsAre(HasSubstr("orphan.action: is never run")));
  EXPECT_THAT(warnings(pool("orphan: {keep: true, action: [gcore]}")), IsEmpty());
}

TEST(ParseSettings, WarnsOfAQueueThatIsFullBeforeItRecycles) {
  const auto told = [](const std::string& queue) {
    return warnings(pool("routes: [{}]\nqueue: " + queue));
  };
  EXPECT_THAT(told("{recycle_over: 1000}"),
              ElementsAre(HasSubstr("queue.recycle_over: is never reached: at most 1000")));
  EXPECT_THAT(told("{limit: 50, recycle_over: 60}"), ElementsAre(HasSubstr("at most 50")));
  EXPECT_THAT(told("{recycle_over: 999}"), IsEmpty());
  EXPECT_THAT(told("{limit: 50}"), IsEmpty()) << "nobody chose the other one";
}

TEST(ParseSettings, WarnsOfVariablesThatItSetsItself) {
  const Parsed parsed = parse_settings(pool("environment: {NOTIFY_SOCKET: x}"));
  ASSERT_EQ(parsed.findings.size(), 1u);
  EXPECT_EQ(parsed.findings[0].kind, Finding::Kind::Warning);
  EXPECT_EQ(parsed.findings[0].path, "pools.web.environment.NOTIFY_SOCKET");
}

TEST(ParseSettings, TellsAllErrorsAtOnceInFileOrder) {
  const Parsed parsed = parse_settings(
      "listen: x\npools:\n  b: {comand: y}\n  'a a': {command: z, workers: q}\nadmin: w\n");
  std::vector<int> lines;
  for (const Finding& finding : parsed.findings) lines.push_back(finding.line);
  EXPECT_THAT(lines, ElementsAre(1, 3, 3, 4, 4, 5));
}

TEST(ParseSettings, TellsWhatIsWrongInTheDefaultsOnce) {
  const Parsed parsed =
      parse_settings("defaults: {workers: x}\npools: {a: {command: x}, b: {command: y}}");
  ASSERT_EQ(parsed.findings.size(), 1u);
  EXPECT_EQ(parsed.findings[0].path, "defaults.workers");
}

TEST(ParseSettings, DescribesAFindingOnOneLine) {
  const Finding finding{Finding::Kind::Error, 12, 5, "pools.web", "wrong"};
  EXPECT_EQ(describe(finding, "f.yaml"), "f.yaml:12:5: error: pools.web: wrong");
  EXPECT_EQ(describe({Finding::Kind::Warning, 0, 0, "", "odd"}, "f"), "f: warning: odd");
  EXPECT_EQ(describe({Finding::Kind::NotInEffect, 1, 2, "a\nb", "x"}, "f"), "f:1:2: note: a b: x");
}

TEST(ParseSettings, WithstandsHostileText) {
  std::string deep(100'000, '[');
  EXPECT_FALSE(parse_settings(deep).ok());
  EXPECT_FALSE(parse_settings("a: " + std::string(2'000'000, 'x')).ok());
  EXPECT_FALSE(parse_settings(std::string("pools: {a: {command: \"x\\0y\"}}")).ok());
  EXPECT_FALSE(parse_settings("\xff\xfe\x00\x01").ok());
  std::string wide = "pools:\n";
  for (int i = 0; i < 5000; ++i) wide += "  p" + std::to_string(i) + ": {command: a}\n";
  EXPECT_FALSE(parse_settings(wide).ok());
  const Parsed long_text =
      parse_settings("pools: {a: {command: a, connect: " + std::string(5000, 'y') + "}}");
  EXPECT_FALSE(long_text.ok());
  EXPECT_LT(long_text.findings[0].message.size(), 300u);
}

}  // namespace
}  // namespace poolwarden::config
