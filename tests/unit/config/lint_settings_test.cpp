// What is legal but will hurt.

#include "config/lint_settings.h"

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kGibi = std::uint64_t{1} << 30;
const Machine kMachine{kGibi, 2};

std::vector<Finding> lint(const std::string& yaml, const Machine& machine = kMachine) {
  const Parsed parsed = parse_settings(yaml);
  EXPECT_TRUE(parsed.ok()) << all_of(parsed.findings);
  std::vector<Finding> findings = lint_settings(parsed.settings, machine);
  locate(findings, parsed.places);
  return findings;
}

void expect_one(const std::string& keys, const std::string& path, const std::string& words) {
  const std::vector<Finding> findings = lint(pool("routes: [{}]\n" + keys));
  ASSERT_EQ(findings.size(), 1u) << keys << "\n" << all_of(findings);
  EXPECT_EQ(findings[0].path, path);
  EXPECT_EQ(findings[0].kind, Finding::Kind::Warning);
  EXPECT_GT(findings[0].line, 0);
  EXPECT_THAT(findings[0].message, HasSubstr(words));
}

TEST(Lint, HasNothingToSayOfDefaults) {
  EXPECT_THAT(lint(pool("routes: [{}]")), IsEmpty());
  EXPECT_THAT(lint(pool("limits: {memory: 256MiB}\nworkers: 2")), IsEmpty());
}

TEST(Lint, AddsUpWhatAStopMayTake) {
  expect_one("stop: {drain: 20s, timeout: 10s}", "pools.web.stop",
             "20s (stop.drain) + 10s (stop.timeout) = 30s, but Docker kills");
  expect_one("stop: {timeout: 7s}", "pools.web.stop", "stop_grace_period: 12s");
  expect_one("stop: {timeout: 0}", "pools.web.stop", "no time limit");
  EXPECT_THAT(lint(pool("stop: {timeout: 9s}")), IsEmpty()) << "nothing drains without routes";
}

TEST(Lint, AddsTheDelayOfAShutdown) {
  const auto findings = lint("shutdown: {delay: 5s}\n" + pool("routes: [{}]"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].message,
              HasSubstr("5s (shutdown.delay) + 4s (stop.drain) + 5s (stop.timeout) = 14s"));
}

TEST(Lint, AddsTheDelayWhicheverPoolIsTheSlowest) {
  const std::string pools =
      "pools:\n  web: {command: x, routes: [{}]}\n  jobs: {command: x, stop: {timeout: 10s}}\n";
  const auto findings = lint("shutdown: {delay: 30s}\n" + pools);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].path, "pools.jobs.stop");
  EXPECT_THAT(findings[0].message, HasSubstr("30s (shutdown.delay) + 4s (stop.drain of pool web) + "
                                             "10s (stop.timeout of pool jobs) = 44s"));
  EXPECT_THAT(lint("shutdown: {delay: 30s}\n" + pool("stop: {timeout: 9s}")), IsEmpty())
      << "nothing is delayed without routes";
}

TEST(Lint, AddsTheSlowestDrainToTheSlowestTimeout) {
  const auto findings = lint(
      "pools:\n  a: {command: x, routes: [{}], stop: {drain: 8s, timeout: 1s}}\n"
      "  b: {command: x, routes: [{path: /b}], stop: {drain: 1s, timeout: 7s}}\n");
  ASSERT_EQ(findings.size(), 1u) << all_of(findings);
  EXPECT_EQ(findings[0].path, "pools.a.stop");
  EXPECT_THAT(findings[0].message, HasSubstr("8s (stop.drain of pool a) + 7s (stop.timeout of pool "
                                             "b) = 15s"));
}

TEST(Lint, NamesTheSlowestPool) {
  const auto findings = lint(
      "pools:\n  a: {command: x, stop: {timeout: 20s}}\n"
      "  b: {command: x, stop: {timeout: 30s}}\n");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].path, "pools.b.stop");
  EXPECT_EQ(findings[0].line, 3);
}

TEST(Lint, CountsTheReplacementInMemory) {
  expect_one("workers: 2\nlimits: {memory: 400MiB}", "pools.web.limits.memory",
             "2 + 1 of them, which may use 3 x 400MiB, more than the 1GiB");
  expect_one("workers: 0\nlimits: {memory: 40%}", "pools.web.limits.memory", "2 + 1 of them");
  EXPECT_THAT(lint(pool("workers: 2\nlimits: {memory: 400MiB}\nrecycle: {overlapped: false}")),
              IsEmpty());
  EXPECT_THAT(lint(pool("workers: 2\nlimits: {memory: 400MiB}"), Machine{}), IsEmpty());
}

TEST(Lint, AddsUpTheMemoryOfAllPools) {
  const auto findings = lint(
      "pools:\n  a: {command: x, limits: {memory: 500MiB}}\n"
      "  b: {command: x, limits: {memory: 500MiB}}\n"
      "  c: {command: x, limits: {memory: 500MiB}}\n");
  ASSERT_EQ(findings.size(), 1u) << all_of(findings);
  EXPECT_THAT(findings[0].message, HasSubstr("1.5GiB, more than the 1GiB"));
}

TEST(Lint, ComparesDeadlinesAndLimits) {
  expect_one("limits: {memory: 256MiB, memory_high: 256MiB}", "pools.web.limits.memory_high",
             "is not below memory");
  expect_one("health: {request_timeout: 30s}", "pools.web.health.request_timeout",
             "a stop waits only 4s");
  expect_one("queue: {limit: 5}", "pools.web.queue.restart_limit", "lower it");
  expect_one("ready: {timeout: 2m}", "pools.web.rapid_fail.within", "more than 10m");
  expect_one("idle: {after: 2h}\nrecycle: {after_time: 1h}", "pools.web.idle.after",
             "never idle for 2h");
}

TEST(Lint, KnowsWhatHasNothingToActOn) {
  expect_one("idle: {under_pressure: 80%}", "pools.web.idle.under_pressure",
             "idle.after, which is");
  EXPECT_THAT(lint(pool("routes: [{}]\nidle: {after: 1m, under_pressure: 80%}")), IsEmpty());
  expect_one("limits: {affinity_each: 3}", "pools.web.limits.affinity_each", "only 2 may be used");
  EXPECT_THAT(lint(pool("limits: {affinity_each: 2}")), IsEmpty());
}

TEST(Lint, LeavesAloneWhatFits) {
  EXPECT_THAT(lint(pool("limits: {memory: 50%, memory_high: 40%}\nhealth: {request_timeout: 4s}\n"
                        "ready: {timeout: 1m}\nidle: {after: 1h}\nrecycle: {after_time: 2h}")),
              IsEmpty());
}

}  // namespace
}  // namespace poolwarden::config
