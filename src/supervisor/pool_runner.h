// Carries out what a Pool decides, and tells it what came of it. The only file that calls both
// deciding and doing; all of the pool's time passes through one timer, set to its next deadline.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "link/messages.h"
#include "pool/pool.h"
#include "supervisor/pool_observer.h"
#include "worker/worker_host.h"

namespace poolwarden::supervisor {

// What a runner reaches beyond its pool. All functions return at once.
struct Outside {
  worker::WorkerHost& host;
  // False when no gateway runs: nobody holds requests then.
  std::function<bool(const link::ToGateway&)> to_gateway;
  std::function<void(const pool::Event&)> publish;
  std::function<void(const pool::RunHook&)> run_hook;
  std::function<void()> changed;  // what snapshot() shows
  // Rows of the scoreboard for workers; nullopt when all are taken.
  std::function<std::optional<std::uint32_t>()> take_row;
  std::function<void(std::uint32_t)> give_row_back;
  const link::Scoreboard& board;
  std::function<Memory()> memory;
  std::function<void(const std::string& pool, worker::PingResult, Duration took)> pinged;
  std::function<TimePoint()> now = &Clock::now;
};

// Must outlive the io_context's run.
class PoolRunner {
 public:
  PoolRunner(boost::asio::io_context& io, pool::Pool pool, std::uint32_t board_slot,
             Outside outside);

  void begin() { apply(pool_.begin(outside_.now())); }
  void start() { apply(pool_.start(outside_.now())); }
  void stop() { apply(pool_.stop(outside_.now())); }
  void shut_down() { apply(pool_.shut_down(outside_.now())); }
  void kill_all() { apply(pool_.kill_all(outside_.now())); }
  void demand() { apply(pool_.demand(outside_.now())); }
  void worker_drained(worker::WorkerId id, std::uint32_t mark) {
    apply(pool_.worker_drained(id, mark, outside_.now()));
  }
  void drain_broken(worker::WorkerId id) { pool_.drain_broken(id); }
  void request_timed_out(worker::WorkerId id) {
    pool_.traced(id, outside_.host.is_traced(id));
    apply(pool_.request_timed_out(id, outside_.now()));
  }
  void request_cut_short(worker::WorkerId id, const diagnosis::CutRequest& cut) {
    apply(pool_.request_cut_short(id, cut, outside_.now()));
  }
  Result<pool::BatchId> recycle(std::optional<std::uint32_t> slot, pool::RecycleReason reason);
  Result<void> scale(pool::WorkerCount wanted);
  // New settings; routes change for clients when the gateway is told RoutesChanged.
  pool::BatchId reconfigure(std::shared_ptr<const pool::PoolSettings> settings, bool recycle);
  struct DebugAnswer {
    pool::DebugId id{};
    pool::Pool::DebugWay way{};
  };
  Result<DebugAnswer> debug(pool::DebugStart start, std::optional<std::uint32_t> slot);
  void stop_debugging() { apply(pool_.stop_debugging(outside_.now())); }
  void debugger_failed(const std::string& why) { apply(pool_.debugger_failed(why)); }
  void stop_for_reload() { apply(pool_.stop_for_reload(outside_.now())); }

  // Everything that a new gateway has to know of this pool.
  std::vector<link::ToGateway> introduction() const;
  // The requests that draining workers waited for died with the gateway.
  void gateway_lost();

  // What its timers do, when their time has come. Late, early or repeated calls do no harm.
  void tick();
  void observe();
  std::optional<TimePoint> wakes_at() const { return wakes_at_; }  // for tick()

  // See Pool::drilled.
  void drilled(worker::WorkerId id, const std::string& what) { pool_.drilled(id, what); }

  const pool::Pool& pool() const { return pool_; }
  pool::PoolSnapshot snapshot(TimePoint now, WallTime wall) const;

 private:
  struct Published {
    worker::Endpoint endpoint;
    std::uint32_t row;
    mutable bool counted = false;  // a gateway has been told to count in its row from 0
  };

  void apply(const pool::Decision& decision);
  void spawn(const pool::SpawnWorker& todo);
  worker::Watch watch() const;
  worker::WorkerCallbacks callbacks_for(worker::WorkerId id);
  void suspend(worker::WorkerId id);
  void abandon(worker::WorkerId id);
  std::uint64_t requests_of(worker::WorkerId id) const;
  link::PoolAdded description() const;
  void publish_worker(worker::WorkerId id);
  void drain(const pool::DrainWorker& todo);
  void retire(worker::WorkerId id);
  void set_availability(pool::Availability availability);
  link::PoolModeChanged mode(pool::Availability availability) const;
  link::WorkerReady readiness(worker::WorkerId id, const Published& published) const;
  void introduce(worker::WorkerId id, const Published& published);
  void arm_timer();
  void arm_observation();

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> wakes_at_;
  pool::Pool pool_;
  std::uint32_t board_slot_;
  Outside outside_;
  std::map<worker::WorkerId, worker::Endpoint> endpoints_;
  std::map<worker::WorkerId, Published> published_;
  std::map<worker::WorkerId, std::uint32_t> draining_;  // by the mark
  std::map<worker::WorkerId, std::uint64_t>
      served_;  // by those that were given up before their end
  PoolObserver observer_;
  boost::asio::steady_timer observation_timer_;
  bool observing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // post mortems may come after it
};

}  // namespace poolwarden::supervisor
