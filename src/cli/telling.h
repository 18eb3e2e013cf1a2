// Where everything that happens is told: once to the journal, once to the metrics.

#pragma once

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "cli/settings_source.h"
#include "control/control_server.h"
#include "journal/death_register.h"
#include "journal/journal.h"
#include "link/scoreboard.h"
#include "loop/published.h"
#include "metrics/cgroup_collector.h"
#include "metrics/config_collector.h"
#include "metrics/event_metrics.h"
#include "metrics/exposition.h"
#include "metrics/loop_metrics.h"
#include "metrics/order_metrics.h"
#include "metrics/process_collector.h"
#include "metrics/program_collector.h"
#include "metrics/scoreboard_collector.h"
#include "metrics/snapshot_collector.h"
#include "metrics/worker_process_collector.h"

namespace poolwarden::cli {

// The log as it is configured; text on a terminal where nothing else is said.
journal::JournalSettings journal_settings(const config::Log& log);

// Asked on the thread of the scrape.
struct Sightings {
  metrics::PoolUsage pool_usage;
  metrics::PoolProcesses pool_processes;
};

class Telling {
 public:
  Telling(const SettingsSource& source, const loop::Published<pool::Snapshot>& snapshots,
          const link::Scoreboard& board, Sightings sightings);

  // Reads what earlier supervisors have kept, and keeps what comes; before anything is told.
  void open_state(boost::asio::io_context& io);

  void tell(const pool::Event& event);
  void settled(const control::Settled& request);
  void pinged(const std::string& pool, worker::PingResult result, Duration took) {
    event_metrics_.record_ping(pool, result, took);
  }

  // The certificates of a snapshot as they are known by now.
  void complete(pool::Snapshot& shot) const;

  journal::Journal& journal() { return journal_; }
  const journal::DeathRegister& deaths() const { return deaths_; }
  metrics::LoopMetrics& loop() { return loop_metrics_; }
  metrics::ConfigCollector& config() { return config_collector_; }
  const metrics::Exposition& exposition() const { return exposition_; }

 private:
  void disk_has_trouble(const std::string& why);

  const std::optional<std::string> state_;  // directory
  journal::Journal journal_;
  journal::DeathRegister deaths_;
  metrics::EventMetrics event_metrics_;
  metrics::SnapshotCollector snapshot_collector_;
  metrics::ScoreboardCollector scoreboard_collector_;
  metrics::CgroupCollector cgroup_collector_;
  metrics::WorkerProcessCollector worker_process_collector_;
  metrics::LoopMetrics loop_metrics_;
  metrics::OrderMetrics order_metrics_;
  metrics::ProcessCollector process_collector_;
  metrics::ProgramCollector program_collector_;
  metrics::ConfigCollector config_collector_;
  metrics::Exposition exposition_;
};

}  // namespace poolwarden::cli
