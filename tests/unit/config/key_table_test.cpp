// The table of keys against the design, the documentation, the example, the schema, and the YAML
// that is written.

#include "config/key_table.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/effective_settings.h"
#include "config/json_schema.h"
#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

using testing::IsSubsetOf;

std::string read(const std::string& name) {
  const std::filesystem::path root = SOURCE_DIR;
  std::ifstream file(root / name);
  EXPECT_TRUE(file.is_open()) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string example() { return read("docs/poolwarden.example.yaml"); }

TEST(KeyTable, HasEveryKeyOfTheDesign) {
  const std::vector<std::string> server = {
      "listen",       "admin",          "control",  "log.format", "log.level", "gateway.processes",
      "gateway.user", "shutdown.delay", "defaults", "pools",      "state"};
  const std::vector<std::string> pool = {"command",
                                         "directory",
                                         "environment",
                                         "identity.user",
                                         "identity.groups",
                                         "identity.umask",
                                         "identity.no_new_privileges",
                                         "identity.capabilities",
                                         "routes",
                                         "workers",
                                         "start",
                                         "connect",
                                         "concurrency",
                                         "threads.worker",
                                         "threads.io",
                                         "ready.when",
                                         "ready.timeout",
                                         "stop.signal",
                                         "stop.timeout",
                                         "stop.drain",
                                         "stop.tunnels",
                                         "health.ping.http",
                                         "health.ping.notify",
                                         "health.ping.interval",
                                         "health.ping.timeout",
                                         "health.stack_signal",
                                         "health.deadlock.after",
                                         "health.deadlock.cooldown",
                                         "health.request_timeout",
                                         "recycle.after_requests",
                                         "recycle.after_time",
                                         "recycle.at",
                                         "recycle.over_memory",
                                         "recycle.over_virtual_memory",
                                         "recycle.jitter",
                                         "recycle.overlapped",
                                         "recycle.at_once",
                                         "recycle.on_config_change",
                                         "idle.after",
                                         "idle.action",
                                         "idle.spare_after",
                                         "idle.under_pressure",
                                         "queue.limit",
                                         "queue.timeout",
                                         "queue.recycle_over",
                                         "queue.restart_limit",
                                         "queue.client_check",
                                         "limits.memory",
                                         "limits.memory_high",
                                         "limits.cpu",
                                         "limits.cpu_action",
                                         "limits.cpu_window",
                                         "limits.cpu_weight",
                                         "limits.pids",
                                         "limits.open_files",
                                         "limits.core",
                                         "limits.affinity",
                                         "limits.affinity_each",
                                         "rapid_fail.failures",
                                         "rapid_fail.within",
                                         "rapid_fail.when_open",
                                         "rapid_fail.retry_after",
                                         "rapid_fail.action",
                                         "orphan.keep",
                                         "orphan.action",
                                         "orphan.at_most",
                                         "essential",
                                         "log_level",
                                         "containment"};
  EXPECT_THAT(server, IsSubsetOf(paths_of(server_keys())));
  EXPECT_THAT(pool, IsSubsetOf(paths_of(pool_keys())));
}

TEST(KeyTable, NamesEachKeyOnce) {
  const std::vector<std::string> paths = paths_of(pool_keys());
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), paths.size());
}

TEST(KeyTable, IsDocumentedKeyByKey) {
  const std::string page = read("docs/settings.md");
  for (const std::string& path : paths_of(server_keys())) {
    EXPECT_NE(page.find("| `" + path + "` |"), std::string::npos) << path;
  }
  for (const auto& key : pool_keys()) {
    const std::size_t row = page.find("| `" + key.path + "` |");
    ASSERT_NE(row, std::string::npos) << key.path;
    const std::string line = page.substr(row, page.find('\n', row) - row);
    const char* effect = key.effect == Effect::Now ? "| yes |" : "| default only |";
    EXPECT_NE(line.find(effect), std::string::npos) << line;
  }
}

// The paragraph that says which keys replace workers.
TEST(KeyTable, IsDocumentedWithWhatAChangeTakes) {
  const std::string page = read("docs/settings.md");
  const std::size_t begin = page.find("- A running worker was started with");
  const std::string list = page.substr(begin, page.find("All other keys", begin) - begin);
  for (const auto& key : pool_keys()) {
    const bool is_named = list.find("`" + key.path + "`") != std::string::npos;
    EXPECT_EQ(is_named, key.applies == Applies::ToNewWorkers) << key.path;
  }
}

TEST(Example, IsRight) {
  const Parsed parsed = parse_settings(example());
  EXPECT_TRUE(parsed.ok()) << all_of(parsed.findings);
  EXPECT_EQ(parsed.settings.pools.size(), 3u);
  EXPECT_TRUE(parsed.places.contains("pools.web.limits.memory"));
}

TEST(Example, ShowsEveryKeyOfAPool) {
  const std::string text = example();
  for (const std::string& path : paths_of(pool_keys())) {
    EXPECT_NE(text.find(path.substr(path.rfind('.') + 1) + ":"), std::string::npos) << path;
  }
}

// An editor's file is half written most of the time.
TEST(Example, CutAnywhereIsReadOrRefusedButNeverCrashes) {
  const std::string text = example();
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const Parsed parsed = parse_settings(text.substr(0, length));
    for (const Finding& finding : parsed.findings) EXPECT_GT(finding.line, 0) << length;
  }
}

TEST(Example, WithAByteChangedIsReadOrRefusedButNeverCrashes) {
  std::string text = example();
  for (std::size_t at = 0; at < text.size(); at += 97) {
    for (const char other : {'{', '\t', '*', '"', ':', '\n', '\xff'}) {
      const char kept = std::exchange(text[at], other);
      parse_settings(text);
      text[at] = kept;
    }
  }
}

TEST(EffectiveYaml, GivesTheSameSettingsBack) {
  for (const std::string& yaml :
       {example(), std::string("pools: {web: {command: [a], routes: [{}]}, job: {command: b}}"),
        std::string("pools: {w: {command: ['a b', '', '*', '#x', \"y\\n\\tz\", 'null', \"ü\"], "
                    "environment: {A: '', B: 'a: b', C: ' x', D: 'yes', E: '0017'}, "
                    "identity: {umask: '0007', capabilities: []}, ready: {when: notify}, "
                    "limits: {core: infinite, memory: 1000001, cpu: 7%}, stop: {signal: 40, "
                    "drain: 0}, recycle: {at: ['00:00', '23:59'], jitter: 0, after_time: 1h1ms}, "
                    "rapid_fail: {action: [], failures: 0}, workers: 0, "
                    "routes: [{}], health: {ping: {http: /x}}}}"),
        std::string("pools: {w: {command: a, workers: {min: 1, max: 3}, limits: {affinity: '0-3', "
                    "affinity_each: 2}, stop: {tunnels: infinite}, idle: {after: 1m, "
                    "under_pressure: 80%, spare_after: 5s}, health: {stack_signal: QUIT, "
                    "ping: {notify: true, timeout: 9s}}}}")}) {
    const Parsed first = parse_settings(yaml);
    ASSERT_TRUE(first.ok()) << all_of(first.findings);
    const std::string written = effective_yaml(first.settings);
    const Parsed second = parse_settings(written);
    EXPECT_TRUE(second.ok()) << written << all_of(second.findings);
    EXPECT_EQ(second.settings, first.settings) << written;
    EXPECT_EQ(effective_yaml(second.settings), written);
  }
}

TEST(JsonSchema, DescribesEveryKey) {
  const boost::json::value schema = boost::json::parse(json_schema());
  const boost::json::value& pool = schema.at("$defs").at("pool");
  for (const auto& key : pool_keys()) {
    const boost::json::value* at = &pool;
    std::stringstream segments(key.path);
    for (std::string segment; std::getline(segments, segment, '.');) {
      at = at->at("properties").as_object().if_contains(segment);
      ASSERT_NE(at, nullptr) << key.path;
    }
    EXPECT_TRUE(at->as_object().contains("description")) << key.path;
  }
  EXPECT_TRUE(schema.at("properties").as_object().contains("listen"));
  EXPECT_EQ(pool.at("properties").at("queue").at("properties").at("limit").at("default"), 1000);
}

}  // namespace
}  // namespace poolwarden::config
