// A whole scrape from a snapshot, a real scoreboard and a pretended cgroup; promtool has no
// complaint about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <regex>
#include <set>

#include "fakes/sample_snapshot.h"
#include "metrics/cgroup_collector.h"
#include "metrics/config_collector.h"
#include "metrics/event_metrics.h"
#include "metrics/exposition.h"
#include "metrics/label_values.h"
#include "metrics/loop_metrics.h"
#include "metrics/order_metrics.h"
#include "metrics/process_collector.h"
#include "metrics/program_collector.h"
#include "metrics/scoreboard_collector.h"
#include "metrics/snapshot_collector.h"
#include "metrics/status_report.h"
#include "metrics/worker_process_collector.h"

namespace poolwarden::metrics {
namespace {

using prometheus::MetricType;
using testing::HasSubstr;
using testing::Not;

cgroup::Usage sample_usage() {
  cgroup::Usage usage;
  usage.memory_current = 1000;
  usage.memory_inactive_file = 300;
  usage.memory_anon = 600;
  usage.memory_swap = 0;
  usage.memory_peak = 2000;
  usage.memory_events = {{"oom_kill", 2}};
  usage.cpu_user_usec = 1'500'000;
  usage.cpu_system_usec = 500'000;
  usage.limit_hits = {9, 9, 9, 1};
  usage.cpu_limit_cores = 1.5;
  usage.pids_current = 3;
  usage.pids_limit = 256;
  usage.pressure_cpu = usage.pressure_memory = usage.pressure_io = {.waiting = 5, .stalled = 6};
  usage.io_read_bytes = 10;
  usage.io_written_bytes = 20;
  return usage;
}

class ScrapeTest : public testing::Test {
 protected:
  ScrapeTest()
      : map_(link::ScoreboardMap::create().value()),
        writer_(link::ScoreboardMap::open_for_writing(map_.fd()).value()),
        usage_(sample_usage()),
        snapshot_(published_, map_.board()),
        scoreboard_(published_, map_.board()),
        cgroup_(
            published_,
            [this](const std::string&, const std::vector<std::string>& running_leaves) {
              leaves_ = running_leaves;
              return usage_;
            },
            events_.oom_kills()),
        workers_(
            published_,
            [this](const pool::Snapshot&) {
              return std::map<std::string, std::vector<int>>{{"web", pids_}};
            },
            Duration::zero()),
        program_({"1.0", "abc", "gcc", "Debug"},
                 {.written = [](pool::Level) { return 3; }, .dropped = [] { return 4; }}),
        config_("abc", fakes::kNow) {
    exposition_.add("events", events_);
    exposition_.add("pools", snapshot_);
    exposition_.add("scoreboard", scoreboard_);
    exposition_.add("cgroup", cgroup_);
    exposition_.add("workers", workers_);
    exposition_.add("loop", loop_);
    exposition_.add("orders", orders_);
    exposition_.add("process", process_);
    exposition_.add("program", program_);
    exposition_.add("config", config_);
    events_.add_pool("web");
    published_.publish(fakes::sample_snapshot());
  }
  std::string scrape(ExpositionFormat format = ExpositionFormat::Text) {
    return exposition_.render(format);
  }

  link::ScoreboardMap map_;
  link::ScoreboardMap writer_;
  loop::Published<pool::Snapshot> published_;
  std::optional<cgroup::Usage> usage_;
  std::vector<std::string> leaves_;  // those that it was last asked for
  std::vector<int> pids_ = {::getpid()};
  EventMetrics events_;
  SnapshotCollector snapshot_;
  ScoreboardCollector scoreboard_;
  CgroupCollector cgroup_;
  WorkerProcessCollector workers_;
  LoopMetrics loop_;
  OrderMetrics orders_;
  ProcessCollector process_;
  ProgramCollector program_;
  ConfigCollector config_;
  Exposition exposition_;
};

TEST_F(ScrapeTest, HasNothingThatPromtoolWouldComplainOf) {
  const std::string file = testing::TempDir() + "poolwarden-metrics.txt";
  std::ofstream(file) << scrape();
  FILE* promtool = ::popen(("promtool check metrics < " + file + " 2>&1").c_str(), "r");
  ASSERT_NE(promtool, nullptr);
  std::string complaints;
  for (int c = 0; (c = std::fgetc(promtool)) != EOF;) complaints += static_cast<char>(c);
  EXPECT_EQ(::pclose(promtool), 0);
  EXPECT_EQ(complaints, "");
}

TEST_F(ScrapeTest, ShowsEveryMetricOfTheCatalogueAndNoOther) {
  auto full = fakes::sample_snapshot();
  full->pools[0].last_trip = full->pools[0].next_start = fakes::kNow;
  full->pools[0].memory_high = 7;
  auto settings = fakes::sample_settings();
  settings->health.request_timeout = std::chrono::seconds(9);
  full->pools[0].settings = settings;
  published_.publish(full);
  std::set<std::string> shown;
  const std::string text = scrape();
  const std::regex type("# TYPE ([a-z_0-9]+) ");
  for (std::sregex_iterator i(text.begin(), text.end(), type), end; i != end; ++i) {
    shown.insert((*i)[1]);
  }
  std::set<std::string> known;
  for (int i = 0; i < kMetrics; ++i) known.insert(about(static_cast<Metric>(i)).name);
  known.erase("process_virtual_memory_max_bytes");  // depends on this machine's limits
  shown.erase("process_virtual_memory_max_bytes");
  EXPECT_EQ(shown, known);
}

TEST_F(ScrapeTest, LabelsAreThoseOfTheCatalogueAndClosedSetsHoldAllValues) {
  std::map<std::string, Metric> metrics;
  for (int i = 0; i < kMetrics; ++i) {
    const MetricInfo& info = about(static_cast<Metric>(i));
    for (const char* end : {"", "_bucket", "_count", "_sum"})
      metrics.emplace(std::string(info.name) + end, info.metric);
  }
  const std::string text = scrape();
  const std::regex sample("\n([a-z_]+)\\{([^\n]*)\\} ");
  const std::regex pair("([a-z_0-9]+)=\"([^\"]*)\"");
  for (std::sregex_iterator i(text.begin(), text.end(), sample), end; i != end; ++i) {
    const std::string labels = (*i)[2];
    const Metric metric = metrics.at((*i)[1]);
    std::set<std::string> names;
    for (std::sregex_iterator j(labels.begin(), labels.end(), pair); j != end; ++j) {
      const std::string label = (*j)[1];
      if (label == "le") continue;
      names.insert(label);
      const auto values = label_values(metric, label);
      if (!values.empty()) {
        EXPECT_THAT(values, testing::Contains((*j)[2].str())) << i->str();
      }
    }
    EXPECT_THAT(label_names(about(metric)), testing::UnorderedElementsAreArray(names)) << i->str();
  }
}

TEST_F(ScrapeTest, ShowsAClosedSetWhole) {
  const std::string text = scrape();
  for (int i = 0; i < kMetrics; ++i) {
    const MetricInfo& info = about(static_cast<Metric>(i));
    const auto labels = label_names(info);
    if (info.type != MetricType::Counter || labels.size() != 2 || labels[0] != "pool") continue;
    for (const std::string& value : label_values(info.metric, labels[1])) {
      const std::regex series("\n" + std::string(info.name) + "\\{[^\n]*" + labels[1] + "=\"" +
                              value + "\"");
      EXPECT_TRUE(std::regex_search(text, series)) << info.name << " lacks " << value;
    }
  }
}

TEST_F(ScrapeTest, ShowsWhatTheProcessesOfAPoolHave) {
  const auto value = [this](const std::string& name) -> std::optional<double> {
    const std::string text = scrape();
    const auto at = text.find("\n" + name + "{pool=\"web\"} ");
    if (at == std::string::npos) return std::nullopt;
    return std::stod(text.substr(text.find("} ", at) + 2));
  };
  const auto open = value("poolwarden_pool_open_fds");
  ASSERT_TRUE(open);
  EXPECT_GE(*open, 3);
  EXPECT_GT(value("poolwarden_pool_worst_fd_ratio").value_or(0), 0);
  EXPECT_LE(value("poolwarden_pool_worst_fd_ratio").value_or(2), 1);
  EXPECT_GE(value("poolwarden_pool_threads").value_or(0), 1);
  EXPECT_GT(value("poolwarden_pool_resident_memory_bytes").value_or(0), 1 << 20);
  pids_.push_back(::getpid());
  EXPECT_EQ(value("poolwarden_pool_open_fds"), 2 * *open);
  pids_ = {};  // no worker runs
  EXPECT_EQ(value("poolwarden_pool_threads"), 0);
  EXPECT_EQ(value("poolwarden_pool_worst_fd_ratio"), std::nullopt);
  pids_ = {0x7fffffff};  // its only process has ended since, or may not be looked at
  EXPECT_EQ(value("poolwarden_pool_threads"), std::nullopt);
  EXPECT_EQ(value("poolwarden_pool_open_fds"), std::nullopt);
}

// What a collector shows to who is not root.
std::set<std::string> shown_to_nobody(const WorkerProcessCollector& workers) {
  const bool is_root = ::geteuid() == 0;
  const int left = is_root ? ::seteuid(65534) : 0;
  std::set<std::string> shown;
  for (const auto& family : workers.Collect()) shown.insert(family.name);
  const int back = is_root ? ::seteuid(0) : 0;
  EXPECT_EQ(left + back, 0);
  return shown;
}

TEST_F(ScrapeTest, LeavesOutDescriptorsThatMayNotBeCounted) {
  pids_ = {1};  // root's
  EXPECT_THAT(
      shown_to_nobody(workers_),
      testing::ElementsAre("poolwarden_pool_resident_memory_bytes", "poolwarden_pool_threads"));
}

TEST_F(ScrapeTest, AZombieHasNothingAndHidesNothing) {
  const pid_t zombie = ::fork();
  if (zombie == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(zombie), &ended, WEXITED | WNOWAIT), 0);
  pids_ = {zombie, ::getpid()};
  EXPECT_THAT(shown_to_nobody(workers_), testing::Contains("poolwarden_pool_open_fds"));
  pids_ = {zombie};
  EXPECT_THAT(shown_to_nobody(workers_), testing::IsEmpty());
  ASSERT_EQ(::waitpid(zombie, nullptr, 0), zombie);
}

TEST_F(ScrapeTest, LooksAtProcessesNowAndThenOnly) {
  int looks = 0;
  const WorkerProcessCollector patient(published_, [&](const pool::Snapshot&) {
    ++looks;
    return std::map<std::string, std::vector<int>>{{"web", pids_}};
  });
  EXPECT_EQ(patient.Collect().size(), 4u);
  EXPECT_EQ(patient.Collect().size(), 4u);
  EXPECT_EQ(looks, 1);
}

TEST_F(ScrapeTest, ShowsTheStateOfAPool) {
  const std::string text = scrape();
  for (const char* series :
       {"poolwarden_pool_state{pool=\"web\",state=\"running\"} 1\n",
        "poolwarden_pool_state{pool=\"web\",state=\"stopped\"} 0\n",
        "poolwarden_pool_disabled{pool=\"web\",reason=\"rapid_fail\"} 0\n",
        "poolwarden_pool_uptime_seconds_total{pool=\"web\"} 150\n",
        "poolwarden_pools{state=\"running\"} 1\n", "poolwarden_pools{state=\"disabled\"} 0\n",
        "poolwarden_pool_rapid_fail_max_failures{pool=\"web\"} 5\n",
        "poolwarden_pool_rapid_fail_window_failures{pool=\"web\"} 1\n",
        "poolwarden_worker_last_failure_info{pool=\"web\",diagnosis=\"segfault\",exit_code=\"\","
        "signal=\"SIGSEGV\"} 1\n",
        "poolwarden_pool_info{pool=\"web\",mode=\"always_running\",runtime=\"gunicorn\","
        "user=\"www-data\"} 1\n",
        "poolwarden_orphans_reaped_total 4\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, Not(HasSubstr("poolwarden_pool_request_timeout_seconds")));  // no limit
}

TEST_F(ScrapeTest, TellsBusyWorkersFromIdleOnes) {
  writer_.writable().workers[1].in_flight = 2;
  const std::string text = scrape();
  EXPECT_THAT(text, HasSubstr("poolwarden_workers{pool=\"web\",state=\"idle\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_workers{pool=\"web\",state=\"busy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_workers{pool=\"web\",state=\"draining\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_workers{pool=\"web\",state=\"unresponsive\"} 0\n"));
}

TEST_F(ScrapeTest, ShowsWhatGatewaysCounted) {
  link::PoolRow& row = writer_.writable().pools[5];
  row.count_response(200);
  row.count_response(418);
  row.lost[0] = 1;
  row.request_seconds.observe(0.02, dispatch::kRequestBuckets);
  row.queue_length = 3;
  writer_.writable().unrouted.count_response(404);
  writer_.writable().listeners[0].open = 6;
  scrape();  // a code that is new shows 0 the first time
  const std::string text = scrape();
  for (const char* series :
       {"poolwarden_http_requests_total{pool=\"web\",code=\"200\"} 1\n",
        "poolwarden_http_requests_total{pool=\"web\",code=\"418\"} 1\n",
        "poolwarden_http_requests_total{pool=\"web\",code=\"503\"} 0\n",
        "poolwarden_http_requests_total{pool=\"\",code=\"404\"} 1\n",
        "poolwarden_http_requests_lost_total{pool=\"web\",cause=\"recycle\"} 1\n",
        "poolwarden_http_request_duration_seconds_bucket{pool=\"web\",le=\"0.025\"} 1\n",
        "poolwarden_http_request_duration_seconds_bucket{pool=\"web\",le=\"0.01\"} 0\n",
        "poolwarden_queue_length{pool=\"web\"} 3\n", "poolwarden_queue_limit{pool=\"web\"} 1000\n",
        "poolwarden_http_connections{listener=\"0.0.0.0:8080\"} 6\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(ScrapeTest, ShowsAStatusCodeAtZeroBeforeItsFirstCount) {
  writer_.writable().pools[5].count_response(418);
  EXPECT_THAT(scrape(), HasSubstr("requests_total{pool=\"web\",code=\"418\"} 0\n"));
}

TEST_F(ScrapeTest, LeavesOutASlotThatTheBoardDoesNotHave) {
  auto snapshot = fakes::sample_snapshot();
  snapshot->pools[0].board_slot = 4'000'000;
  snapshot->pools[0].workers[0].board_slot = 2'000'000'000;
  published_.publish(snapshot);
  EXPECT_THAT(scrape(), Not(HasSubstr("poolwarden_queue_length")));
}

TEST_F(ScrapeTest, ShowsWhatThePoolUses) {
  const std::string text = scrape();
  for (const char* series :
       {"poolwarden_pool_memory_working_set_bytes{pool=\"web\"} 700\n",
        "poolwarden_pool_memory_limit_bytes{pool=\"web\"} 3072\n",  // three workers of 1024
        "poolwarden_pool_memory_events_total{pool=\"web\",event=\"oom_kill\"} 2\n",
        "poolwarden_pool_memory_events_total{pool=\"web\",event=\"high\"} 0\n",
        "poolwarden_pool_cpu_seconds_total{pool=\"web\",mode=\"user\"} 1.5\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
  EXPECT_THAT(text, Not(HasSubstr("poolwarden_pool_memory_high_bytes")));
}

TEST_F(ScrapeTest, HasTheLimitsOfAllWorkersTogetherWhereTheyAreLimitedOneByOne) {
  usage_->cpu_limit_cores.reset();
  usage_->pids_limit.reset();
  EXPECT_THAT(scrape(), Not(HasSubstr("poolwarden_pool_processes_limit{")));
  auto snapshot = fakes::sample_snapshot();
  auto settings = fakes::sample_settings();
  settings->worker.limits = {.cpu = Percent{50}, .pids = 20};
  snapshot->pools[0].settings = settings;
  published_.publish(snapshot);
  EXPECT_THAT(scrape(), HasSubstr("poolwarden_pool_cpu_limit_cores{pool=\"web\"} 1.5\n"));
  EXPECT_THAT(scrape(), HasSubstr("poolwarden_pool_processes_limit{pool=\"web\"} 60\n"));
  settings->worker.limits.cpu_action = worker::CpuAction::Log;
  EXPECT_THAT(scrape(), Not(HasSubstr("poolwarden_pool_cpu_limit_cores{")));
}

TEST_F(ScrapeTest, NeverLetsAKernelCounterGoBack) {
  scrape();
  usage_->cpu_user_usec = 250'000;  // a cgroup made anew
  EXPECT_THAT(scrape(), HasSubstr("cpu_seconds_total{pool=\"web\",mode=\"user\"} 1.75\n"));
  usage_.reset();  // and gone
  const std::string text = scrape();
  EXPECT_THAT(text, HasSubstr("cpu_seconds_total{pool=\"web\",mode=\"user\"} 1.75\n"));
  EXPECT_THAT(text, Not(HasSubstr("poolwarden_pool_memory_usage_bytes")));
}

TEST_F(ScrapeTest, CountsOomKillsOfWorkersThatRunAndOfThoseThatEnded) {
  const auto shown = [this](int kills) {
    EXPECT_THAT(scrape(), HasSubstr("memory_events_total{pool=\"web\",event=\"oom_kill\"} " +
                                    std::to_string(kills) + "\n"));
  };
  shown(2);
  usage_->memory_events = {{"oom_kill", 1}};  // the cgroup of the other one has gone
  shown(2);
  auto certificate = std::make_shared<diagnosis::Certificate>();
  certificate->evidence.oom_kills = 1;
  const pool::Event ended{pool::EventKind::WorkerExited, "web", std::nullopt, "",
                          pool::ExitDetails{certificate, std::nullopt, true}};
  events_.record(ended);
  shown(2);
  usage_.reset();  // no cgroup at all
  events_.record(ended);
  events_.record(ended);
  shown(3);
}

// The cgroup of one that has ended may still be there, and its end has been counted.
TEST_F(ScrapeTest, AsksForTheOomKillsOfWorkersThatRunOnly) {
  scrape();
  EXPECT_THAT(leaves_, testing::ElementsAre("0-3", "1-3", "2-3"));
}

TEST_F(ScrapeTest, EndsOpenMetricsWithEof) {
  const std::string text = scrape(ExpositionFormat::OpenMetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE poolwarden_worker_starts counter\n"));
  EXPECT_THAT(text, testing::EndsWith("# EOF\n"));
}

TEST_F(ScrapeTest, ReportsTheStatusAsJson) {
  writer_.writable().pools[5].count_response(204);
  writer_.writable().workers[1].requests = 12;
  const auto usage = [&](const pool::WorkerSnapshot&) { return usage_; };
  const boost::json::object report =
      status_report(*published_.read(), map_.board(), usage, fakes::kNow);
  const auto& pool = report.at("pools").at(0);
  EXPECT_EQ(pool.at("name"), "web");
  EXPECT_EQ(pool.at("state"), "running");
  EXPECT_EQ(pool.at("requests").at("2xx"), 1);
  EXPECT_EQ(pool.at("rapid_fail").at("max"), 5);
  EXPECT_EQ(pool.at("last_exit").at("diagnosis"), "segfault");
  const auto& worker = pool.at("workers").at(1);
  EXPECT_EQ(worker.at("requests"), 12);
  EXPECT_EQ(worker.at("unhealthy"), false);
  EXPECT_EQ(worker.at("age_seconds"), 60.0);
  EXPECT_EQ(worker.at("memory"), 1000);
  EXPECT_EQ(worker.at("memory_limit"), 1024);
  EXPECT_EQ(worker.at("status_text"), "busy \xef\xbf\xbd");
  EXPECT_EQ(report.at("supervisor").at("ready"), true);
}

TEST_F(ScrapeTest, TellsHangingKeptAndFrozenWorkersApart) {
  auto snapshot = fakes::sample_snapshot();
  auto& workers = snapshot->pools[0].workers;
  workers = {fakes::sample_worker(0, pool::WorkerState::Stopping),
             fakes::sample_worker(1, pool::WorkerState::Draining),
             fakes::sample_worker(2, pool::WorkerState::Killing),
             fakes::sample_worker(3, pool::WorkerState::Suspended),
             fakes::sample_worker(4, pool::WorkerState::Suspending),
             fakes::sample_worker(5, pool::WorkerState::Orphaned)};
  workers[0].unhealthy = workers[1].unhealthy = workers[5].unhealthy = true;
  workers[5].started -= std::chrono::hours(1);
  published_.publish(snapshot);
  const std::string text = scrape();
  const auto count = [](const std::string& state, int value) {
    return HasSubstr("poolwarden_workers{pool=\"web\",state=\"" + state + "\"} " +
                     std::to_string(value) + "\n");
  };
  EXPECT_THAT(text, count("unresponsive", 2));
  EXPECT_THAT(text, count("stopping", 1));
  EXPECT_THAT(text, count("draining", 0));
  EXPECT_THAT(text, count("suspended", 1));
  EXPECT_THAT(text, count("idle", 1));
  EXPECT_THAT(text, count("orphaned", 1));
  // The age of one that nobody would recycle is of no interest.
  EXPECT_THAT(text, HasSubstr("oldest_start_timestamp_seconds{pool=\"web\"} 1799999940\n"));
}

TEST_F(ScrapeTest, ShowsWhichConfigurationIsInEffect) {
  EXPECT_THAT(scrape(), HasSubstr("poolwarden_config_info{sha256=\"abc\"} 1\n"));
  EXPECT_THAT(scrape(), HasSubstr("poolwarden_config_last_reload_successful 1\n"));
  config_.reload_failed();
  std::string text = scrape();
  EXPECT_THAT(text, HasSubstr("poolwarden_config_last_reload_successful 0\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_config_reload_failures_total 1\n"));
  EXPECT_THAT(text, HasSubstr("sha256=\"abc\""));
  config_.reloaded("def", fakes::kNow + std::chrono::seconds(5));
  text = scrape();
  EXPECT_THAT(text, HasSubstr("poolwarden_config_last_reload_successful 1\n"));
  EXPECT_THAT(text, HasSubstr("poolwarden_config_reloads_total 2\n"));
  EXPECT_THAT(text, HasSubstr("reload_success_timestamp_seconds 1800000005\n"));
  EXPECT_THAT(text, HasSubstr("sha256=\"def\""));
  EXPECT_THAT(text, Not(HasSubstr("sha256=\"abc\"")));
}

TEST(ConfigCollector, ShowsNoHashOfWhatIsNoFile) {
  const ConfigCollector config("", fakes::kNow);
  for (const auto& family : config.Collect()) EXPECT_NE(family.name, "poolwarden_config_info");
}

}  // namespace
}  // namespace poolwarden::metrics
