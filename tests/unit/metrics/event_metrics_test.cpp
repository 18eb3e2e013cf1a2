// From events to series: all there at 0 from the start, each counted once.

#include "metrics/event_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/exposition.h"

namespace poolwarden::metrics {
namespace {

using namespace std::chrono_literals;
using pool::EventKind;
using testing::HasSubstr;
using testing::Not;

class EventMetricsTest : public testing::Test {
 protected:
  EventMetricsTest() {
    exposition_.add("events", metrics_);
    metrics_.add_pool("web");
  }
  std::string scrape() const { return exposition_.render(ExpositionFormat::Text); }

  void record(EventKind kind, pool::Details details = std::monostate{}) {
    metrics_.record({.kind = kind,
                     .pool = "web",
                     .worker = std::nullopt,
                     .sentence = "",
                     .details = std::move(details)});
  }

  void record_exit(diagnosis::ExitStatus status, diagnosis::Cause cause,
                   diagnosis::Intent intent = diagnosis::Intent::None) {
    auto certificate = std::make_shared<diagnosis::Certificate>();
    certificate->pid = 1;
    certificate->uptime = 7s;
    certificate->intent = intent;
    certificate->evidence.status = std::move(status);
    certificate->diagnosis.cause = cause;
    record(EventKind::WorkerExited,
           pool::ExitDetails{.certificate = certificate,
                             .start_failure = std::nullopt,
                             .counts_as_failure = intent == diagnosis::Intent::None});
  }

  EventMetrics metrics_;
  Exposition exposition_;
};

TEST_F(EventMetricsTest, ShowsEachSeriesOfAClosedSetBeforeAnythingHappened) {
  const std::string text = scrape();
  for (int i = 0; i < diagnosis::kCauses; ++i) {
    const std::string cause(name(static_cast<diagnosis::Cause>(i)));
    EXPECT_THAT(text, HasSubstr("poolwarden_worker_failures_total{diagnosis=\"" + cause +
                                "\",pool=\"web\"} 0\n"));
  }
  for (const char* series :
       {"poolwarden_worker_starts_total{pool=\"web\",reason=\"demand\"} 0\n",
        "poolwarden_worker_recycles_total{pool=\"web\",reason=\"private_memory\"} 0\n",
        "poolwarden_pool_rapid_fail_trips_total{pool=\"web\"} 0\n",
        "poolwarden_worker_exit_codes_total{pool=\"web\",exit_code=\"127\"} 0\n",
        "poolwarden_worker_exit_signals_total{pool=\"web\",signal=\"SIGSEGV\",core=\"true\"} 0\n",
        "poolwarden_hook_runs_total{pool=\"web\",hook=\"rapid_fail.action\"} 0\n",
        "poolwarden_events_total{event=\"worker.exited\",level=\"warning\"} 0\n",
        "poolwarden_worker_lifetime_seconds_count{pool=\"web\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(EventMetricsTest, CountsAnExitOnceInEachView) {
  record_exit(diagnosis::Signaled{.signal = 11, .dumped_core = true}, diagnosis::Cause::Segfault);
  const std::string text = scrape();
  for (const char* series :
       {"poolwarden_worker_exits_total{pool=\"web\",reason=\"failure\"} 1\n",
        "poolwarden_worker_failures_total{diagnosis=\"segfault\",pool=\"web\"} 1\n",
        "poolwarden_worker_exit_signals_total{pool=\"web\",signal=\"SIGSEGV\",core=\"true\"} 1\n",
        "poolwarden_worker_core_dumps_total{pool=\"web\"} 1\n",
        "poolwarden_worker_lifetime_seconds_sum{pool=\"web\"} 7\n",
        "poolwarden_events_total{event=\"worker.exited\",level=\"warning\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(EventMetricsTest, DoesNotCallAnAskedForEndAFailure) {
  record_exit(diagnosis::Exited{.code = 0}, diagnosis::Cause::ExitZero, diagnosis::Intent::Recycle);
  const std::string text = scrape();
  EXPECT_THAT(text,
              HasSubstr("poolwarden_worker_exits_total{pool=\"web\",reason=\"recycle\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("failures_total{diagnosis=\"exit_zero\",pool=\"web\"} 0\n"));
}

TEST_F(EventMetricsTest, ShowsANewExitCodeAtZeroOnceSoThatIncreaseSeesIt) {
  record_exit(diagnosis::Exited{.code = 42}, diagnosis::Cause::ExitNonzero);
  EXPECT_THAT(scrape(), HasSubstr("codes_total{pool=\"web\",exit_code=\"42\"} 0\n"));
  EXPECT_THAT(scrape(), HasSubstr("codes_total{pool=\"web\",exit_code=\"42\"} 1\n"));
}

TEST_F(EventMetricsTest, ShowsAUsualExitCodeAtOnce) {
  record_exit(diagnosis::Exited{.code = 1}, diagnosis::Cause::ExitNonzero);
  EXPECT_THAT(scrape(), HasSubstr("codes_total{pool=\"web\",exit_code=\"1\"} 1\n"));
}

TEST_F(EventMetricsTest, CountsAForcedStop) {
  record(EventKind::WorkerStopTimeout);
  const std::string text = scrape();
  EXPECT_THAT(text, HasSubstr("poolwarden_worker_shutdown_timeouts_total{pool=\"web\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("forced_total{pool=\"web\",reason=\"shutdown_timeout\"} 1\n"));
}

TEST_F(EventMetricsTest, CountsStartsRecyclesAndHooks) {
  record(EventKind::WorkerStarting, pool::StartingDetails{pool::StartReason::Demand});
  record(EventKind::WorkerReady, pool::ReadyDetails{300ms});
  record(EventKind::WorkerRecycling, pool::RecycleDetails{pool::RecycleReason::Memory});
  record(EventKind::RecycleFailed);
  record(EventKind::HookStarted, pool::HookDetails{"rapid_fail.action"});
  record(EventKind::HookFailed, pool::HookDetails{"rapid_fail.action"});
  record(EventKind::PoolRapidFail);
  const std::string text = scrape();
  for (const char* series : {"starts_total{pool=\"web\",reason=\"demand\"} 1\n",
                             "startup_duration_seconds_bucket{pool=\"web\",le=\"0.5\"} 1\n",
                             "recycles_total{pool=\"web\",reason=\"memory\"} 1\n",
                             "recycles_deferred_total{pool=\"web\",reason=\"start_failed\"} 1\n",
                             "hook_runs_total{pool=\"web\",hook=\"rapid_fail.action\"} 1\n",
                             "hook_failures_total{pool=\"web\",hook=\"rapid_fail.action\"} 1\n",
                             "trips_total{pool=\"web\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
}

TEST_F(EventMetricsTest, CountsPingsAndWhyTheyFailed) {
  metrics_.record_ping("web", worker::PingResult::Answered, 30ms);
  metrics_.record_ping("web", worker::PingResult::Answered, Duration::zero());  // WATCHDOG=1
  metrics_.record_ping("web", worker::PingResult::TimedOut, 5s);
  metrics_.record_ping("web", worker::PingResult::BadStatus, 10ms);
  metrics_.record_ping("web", worker::PingResult::BadStatus, 10ms);
  metrics_.record_ping("nobody", worker::PingResult::Io, 1ms);
  const std::string text = scrape();
  for (const char* series : {"worker_pings_total{pool=\"web\"} 5\n",
                             "ping_failures_total{pool=\"web\",reason=\"timeout\"} 1\n",
                             "ping_failures_total{pool=\"web\",reason=\"bad_status\"} 2\n",
                             "ping_failures_total{pool=\"web\",reason=\"io\"} 0\n",
                             "ping_duration_seconds_count{pool=\"web\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(series));
  }
  EXPECT_THAT(text, Not(HasSubstr("nobody")));
}

TEST_F(EventMetricsTest, KnowsAPoolFromTheEventThatAddsItToTheOneThatRemovesIt) {
  const auto tell = [this](EventKind kind) { metrics_.record({kind, "late", std::nullopt, ""}); };
  tell(EventKind::PoolRapidFail);
  EXPECT_THAT(scrape(), Not(HasSubstr("pool=\"late\"")));
  tell(EventKind::PoolAdded);
  tell(EventKind::PoolRapidFail);
  EXPECT_THAT(scrape(), HasSubstr("trips_total{pool=\"late\"} 1\n"));
  tell(EventKind::PoolRemoved);
  metrics_.record(
      {EventKind::HookFailed, "late", std::nullopt, "", pool::HookDetails{"rapid_fail.action"}});
  const std::string text = scrape();
  EXPECT_THAT(text, Not(HasSubstr("pool=\"late\"")));
  EXPECT_THAT(text, HasSubstr("events_total{event=\"hook.failed\",level=\"error\"} 1\n"));
}

TEST_F(EventMetricsTest, ForgetsAPoolThatWasRemoved) {
  metrics_.remove_pool("web");
  EXPECT_THAT(scrape(), Not(HasSubstr("pool=\"web\"")));
  metrics_.add_pool("web");
  EXPECT_THAT(scrape(), HasSubstr("trips_total{pool=\"web\"} 0\n"));
}

}  // namespace
}  // namespace poolwarden::metrics
