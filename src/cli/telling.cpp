#include "cli/telling.h"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/version.h"

namespace poolwarden::cli {
namespace {

metrics::Build build() {
  const Version own = version();
  return {own.version, own.revision, own.compiler, own.build_type};
}

pool::Level level_of(config::Severity severity) {
  switch (severity) {
    case config::Severity::Debug:
    case config::Severity::Info:
      return pool::Level::Info;
    case config::Severity::Warning:
      return pool::Level::Warning;
    case config::Severity::Error:
      return pool::Level::Error;
  }
  return pool::Level::Info;
}

journal::Format format_of(config::LogFormat format) {
  switch (format) {
    case config::LogFormat::Json:
      return journal::Format::Json;
    case config::LogFormat::Text:
      return journal::Format::Text;
    case config::LogFormat::Automatic:
      break;
  }
  return ::isatty(STDOUT_FILENO) ? journal::Format::Text : journal::Format::Json;
}

// systemd lists the directories of StateDirectory= with colons between them (systemd.exec(5)).
std::optional<std::string> state_directory(const config::Settings& settings) {
  if (settings.state) return settings.state;
  const char* directories = std::getenv("STATE_DIRECTORY");
  if (directories == nullptr || *directories != '/') return std::nullopt;
  const std::string all = directories;
  return all.substr(0, all.find(':'));
}

metrics::OrderEnd end_of(const control::Settled& request) {
  using metrics::OrderEnd;
  if (request.refused) return OrderEnd::Refused;
  if (!request.exit_code) return OrderEnd::HungUp;
  switch (*request.exit_code) {
    case kDone:
      return OrderEnd::Done;
    case kWrongUsage:
      return OrderEnd::WrongUsage;
    case kTimedOut:
      return OrderEnd::TimedOut;
    default:
      return OrderEnd::Failed;
  }
}

}  // namespace

journal::JournalSettings journal_settings(const config::Log& log) {
  return {format_of(log.format), level_of(log.level), STDOUT_FILENO};
}

Telling::Telling(const SettingsSource& source, const loop::Published<pool::Snapshot>& snapshots,
                 const link::Scoreboard& board, Sightings sightings)
    : state_(state_directory(source.settings)),
      journal_(journal_settings(source.settings.log)),
      snapshot_collector_(snapshots, board),
      scoreboard_collector_(snapshots, board),
      cgroup_collector_(snapshots, std::move(sightings.pool_usage), event_metrics_.oom_kills()),
      worker_process_collector_(snapshots, std::move(sightings.pool_processes)),
      program_collector_(build(), {[this](pool::Level level) { return journal_.written(level); },
                                   [this] { return journal_.dropped(); }}),
      config_collector_(source.sha256, WallClock::now()) {
  for (const pool::PoolSettings& pool : source.settings.pools) event_metrics_.add_pool(pool.name);
  exposition_.add("events", event_metrics_);
  exposition_.add("pools", snapshot_collector_);
  exposition_.add("requests", scoreboard_collector_);
  exposition_.add("cgroup", cgroup_collector_);
  exposition_.add("workers", worker_process_collector_);
  exposition_.add("loop", loop_metrics_);
  exposition_.add("orders", order_metrics_);
  exposition_.add("proc", process_collector_);
  exposition_.add("program", program_collector_);
  exposition_.add("config", config_collector_);
}

void Telling::open_state(boost::asio::io_context& io) {
  if (!state_) return;
  const std::string trouble = deaths_.keep_in(*state_, [this, &io](const std::string& why) {
    boost::asio::post(io, [this, why] { disk_has_trouble(why); });
  });
  if (!trouble.empty()) tell({pool::EventKind::CertificatesNotKept, "", std::nullopt, trouble});
}

void Telling::disk_has_trouble(const std::string& why) {
  if (why.empty()) {
    journal_.log(pool::Level::Info, "certificates are written to " + *state_ + " again");
  } else {
    tell({pool::EventKind::CertificatesNotKept, "", std::nullopt,
          "keeps death certificates in memory only: " + why});
  }
}

void Telling::tell(const pool::Event& event) {
  const pool::Event told = deaths_.enter(event, WallClock::now());
  journal_.record(told);
  event_metrics_.record(told);
}

void Telling::complete(pool::Snapshot& shot) const {
  for (pool::PoolSnapshot& pool : shot.pools) {
    const auto& last = pool.last_certificate;
    if (!last) continue;
    const auto& known = deaths_.certificates();
    if (auto kept = known.find(last->pool, last->slot, last->generation, last->pid))
      pool.last_certificate = std::move(kept);
  }
}

void Telling::settled(const control::Settled& request) {
  order_metrics_.record(request.command, end_of(request));
}

}  // namespace poolwarden::cli
