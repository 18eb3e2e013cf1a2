// All pools together, and the gateway in front of them: begins them, passes commands on, takes new
// configurations, and ends everything in order. Lives on the supervision thread.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/compare_settings.h"
#include "loop/notifier.h"
#include "loop/published.h"
#include "supervisor/board_rows.h"
#include "supervisor/gateway_link.h"
#include "supervisor/pools.h"
#include "supervisor/reload.h"

namespace poolwarden::supervisor {

// What the supervisor needs from outside; made by cli/run_command, or by a test.
struct Seams {
  worker::WorkerHost& host;
  LaunchGateway launch_gateway;
  std::function<void(int pid)> kill_gateway;
  std::function<void(const pool::RunHook&)> run_hook;
  std::function<void(const pool::Event&)> publish;
  // An essential pool is out of service for good: the certificate of its last worker.
  std::function<void(const std::string& certificate)> essential_failed;
  // Fills in what only the outside knows: containment, limits, counts of the reaper.
  std::function<void(pool::Snapshot&)> complete_snapshot;
  std::function<Memory()> memory;
  std::function<void(const std::string& pool, worker::PingResult, Duration took)> pinged;
};

inline constexpr int kExitDone = 0;
inline constexpr int kExitGaveUp = 1;
inline constexpr int kExitEssential = 10;

class Supervisor {
 public:
  Supervisor(boost::asio::io_context& io, config::Settings settings, std::uint32_t cpus,
             link::ScoreboardMap scoreboard, std::vector<ListeningSocket> sockets, Seams seams,
             loop::Published<pool::Snapshot>& snapshots);

  // Errors: the gateway cannot be started.
  Result<void> begin();

  // Ends everything gracefully; asked for again, at once; a third time, without waiting for the
  // end of anything. on_end is called when all is gone.
  void shut_down(const std::string& because);
  void on_end(std::function<void(int exit_code)> call) { on_end_ = std::move(call); }

  // Null when there is no such pool. Who keeps it across a wait asks again: a reload may have
  // put another one in its place.
  std::shared_ptr<PoolRunner> find(const std::string& pool) const { return pools_.find(pool); }
  std::vector<std::string> pool_names() const;
  // A reload restarts it: it waits until its former workers are gone.
  bool is_restarting(const std::string& pool) const { return pools_.find_leaving(pool) != nullptr; }
  // Errors: none at all, or more workers in all pools than can be kept track of.
  Result<void> scale(const std::string& pool, pool::WorkerCount wanted);

  // What a reload would change, and doing so: all of it, or, with an error, nothing.
  config::Comparison plan(const config::Settings& wanted) const;
  Result<void> may_reload(const config::Comparison& comparison) const;
  Result<std::vector<PoolOutcome>> reload(const config::Settings& wanted);
  Standing standing(const PoolOutcome& outcome) const;

  bool is_stopping() const { return stopping_; }
  const link::Scoreboard& board() const { return scoreboard_.board(); }
  std::shared_ptr<const pool::Snapshot> snapshot();

 private:
  Outside outside();
  Pools::Runner make_runner(const pool::PoolSettings& settings, std::uint32_t row);
  Reload::Around around_reload();
  void make_gateway();
  Result<void> open_gateway();
  GatewayCallbacks gateway_callbacks();
  void publish(const pool::Event& event);
  void note_essential(const pool::Event& event);
  void changed();
  void end_if_all_stopped();
  boost::asio::awaitable<void> wind_down();
  boost::asio::awaitable<void> make_last_call();
  boost::asio::awaitable<void> wait_for_requests();
  Duration longest_drain() const;

  boost::asio::io_context& io_;
  config::Settings settings_;  // in effect
  std::uint32_t cpus_;
  Seams seams_;
  loop::Published<pool::Snapshot>& snapshots_;
  link::ScoreboardMap scoreboard_;
  std::vector<ListeningSocket> sockets_;
  BoardRows rows_;
  std::shared_ptr<pool::WorkerIds> worker_ids_ = std::make_shared<pool::WorkerIds>();
  loop::Notifier changes_;
  Pools pools_;
  Reload reload_;
  std::unique_ptr<GatewayLink> gateway_;
  boost::asio::steady_timer wait_;
  std::function<void(int)> on_end_;
  WallTime started_;
  bool stopping_ = false;
  bool killing_ = false;
  bool quiescing_ = false;
  bool quiesced_ = false;
  bool pools_told_to_stop_ = false;
  bool publish_pending_ = false;
  int exit_code_ = kExitDone;
};

}  // namespace poolwarden::supervisor
