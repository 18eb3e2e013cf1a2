#include "cli/telling.h"

#include <unistd.h>

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

}  // namespace

journal::JournalSettings journal_settings(const config::Log& log) {
  return {format_of(log.format), level_of(log.level), STDOUT_FILENO};
}

Telling::Telling(const SettingsSource& source, const loop::Published<pool::Snapshot>& snapshots,
                 const link::Scoreboard& board, metrics::PoolUsage pool_usage)
    : journal_(journal_settings(source.settings.log)),
      snapshot_collector_(snapshots, board),
      scoreboard_collector_(snapshots, board),
      cgroup_collector_(snapshots, std::move(pool_usage)),
      program_collector_(build(), {[this](pool::Level level) { return journal_.written(level); },
                                   [this] { return journal_.dropped(); }}),
      config_collector_(source.sha256, WallClock::now()) {
  for (const pool::PoolSettings& pool : source.settings.pools) event_metrics_.add_pool(pool.name);
  exposition_.add("events", event_metrics_);
  exposition_.add("pools", snapshot_collector_);
  exposition_.add("requests", scoreboard_collector_);
  exposition_.add("cgroup", cgroup_collector_);
  exposition_.add("proc", process_collector_);
  exposition_.add("program", program_collector_);
  exposition_.add("config", config_collector_);
}

void Telling::tell(const pool::Event& event) {
  journal_.record(event);
  event_metrics_.record(event);
}

}  // namespace poolwarden::cli
