// Decides what one pool does next. It knows no process, cgroup or socket: each method is told what
// happened and when, and returns what to do about it. supervisor/pool_runner does it.
//
//   Stopped --start--> Starting --a worker serves--> Running --stop--> Stopping --all gone-->
//   Stopped
//
// Starting and Running alternate while the pool is wanted. A pool that waits for demand is Running
// without workers. Why a stopped pool stays stopped is a DisabledReason, not a state; only start()
// clears it.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pool/decision.h"
#include "pool/pool_settings.h"
#include "pool/rapid_fail.h"
#include "pool/snapshot.h"

namespace poolwarden::pool {

// How a request to recycle workers is getting on; a ticket each.
struct RecycleProgress {
  std::uint32_t total = 0;
  std::uint32_t done = 0;
  std::uint32_t failed = 0;
  std::string last_failure;

  bool finished() const { return done + failed >= total; }
};

enum class BatchId : std::uint64_t {};

class Pool {
 public:
  // `cpus`: what `workers: 0` means. `first_id`: ids count up from here, in steps of `id_step`, so
  // that pools never share one.
  Pool(std::shared_ptr<const PoolSettings> settings, std::uint32_t cpus, std::uint64_t first_id,
       std::uint64_t id_step);

  // Commands. The supervisor begins; an administrator starts, stops and recycles.
  Decision begin(TimePoint now);
  Decision start(TimePoint now);
  Decision stop(TimePoint now);
  // Requests in flight have been waited for already: workers get the stop signal at once.
  Decision shut_down(TimePoint now);
  // Kills what still runs after shut_down().
  Decision kill_all(TimePoint now);

  struct RecycleAnswer {
    Decision decision;
    BatchId batch{};
  };
  // Errors: a pool that is not running, a slot without a serving worker.
  Result<RecycleAnswer> recycle(std::optional<std::uint32_t> slot, RecycleReason reason,
                                TimePoint now);

  // What happened.
  Decision demand(TimePoint now);  // requests wait and no worker can take them
  Decision worker_spawned(WorkerId id, int pid);
  Decision worker_ready(WorkerId id, TimePoint now);
  Decision worker_status(WorkerId id, const std::string& text);
  Decision worker_drained(WorkerId id, TimePoint now);
  Decision worker_exited(WorkerId id, const diagnosis::Evidence& evidence, TimePoint now,
                         WallTime wall);

  // Applies every deadline that has passed. Late or repeated calls do no harm.
  Decision tick(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  // What others ask.
  const PoolSettings& settings() const { return *settings_; }
  PoolState state() const { return state_; }
  std::optional<DisabledReason> disabled() const { return disabled_; }
  const std::string& disabled_because() const { return disabled_because_; }
  Availability availability() const;
  bool is_published(WorkerId id) const;  // its pool's gateway has been told of it
  bool is_serving(WorkerId id) const;
  bool is_complete() const;  // as many workers serve as it wants now
  // Absent when it is so long ago that it was forgotten.
  std::optional<RecycleProgress> progress(BatchId batch) const;
  // Who keeps the pool from being recycled or stopped: for people who wait.
  std::string holdup(TimePoint now) const;
  // `wall` is the same instant as `now`.
  PoolSnapshot snapshot(TimePoint now, WallTime wall) const;

 private:
  struct Worker {
    WorkerName name;
    WorkerState state = WorkerState::Starting;
    TimePoint spawned;
    TimePoint since;  // it entered its state
    std::optional<TimePoint> ready_at;
    std::optional<TimePoint> deadline;  // for leaving its state
    diagnosis::Intent intent = diagnosis::Intent::None;
    bool kill_sent = false;
    bool published = false;
    std::optional<WorkerId> replaces;  // by a recycle; it leaves when this one is ready
    std::string status_text;
  };
  struct Slot {
    std::uint64_t generations = 0;
    std::uint32_t failures_in_a_row = 0;
    std::optional<TimePoint> respawn_at;
  };
  struct Ticket {
    WorkerId old;
    std::uint32_t slot;
    RecycleReason reason;
    BatchId batch;
    TimePoint begun;
    bool old_gone = false;
    bool replaced = false;  // a new worker has been ready in the slot
  };

  // pool_workers.cpp: one worker from state to state.
  void spawn(std::uint32_t slot, StartReason reason, std::optional<WorkerId> replaces,
             TimePoint now, Decision& decision);
  void fill(StartReason reason, TimePoint now, Decision& decision);
  bool is_open(std::uint32_t slot) const;
  void leave(Worker& worker, diagnosis::Intent why, TimePoint now, Decision& decision);
  void ask_to_stop(Worker& worker, TimePoint now, Decision& decision);
  void kill(Worker& worker, TimePoint now, Decision& decision);
  void move(Worker& worker, WorkerState to, TimePoint now, std::optional<Duration> limit);
  void deadline_passed(Worker& worker, TimePoint now, Decision& decision);
  bool any(WorkerState state) const;
  bool uses_http() const { return settings_->speaks_http(); }

  // pool_failures.cpp: what an unexpected end leads to.
  bool is_spare(const Worker& worker) const;
  void failed(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
              Decision& decision);
  void trip(const diagnosis::Certificate& certificate, TimePoint now, Decision& decision);
  void disable(DisabledReason reason, const std::string& because, TimePoint now,
               Decision& decision);

  // pool_recycling.cpp: tickets.
  void advance_recycling(TimePoint now, Decision& decision);
  void begin_recycling(Ticket ticket, TimePoint now, Decision& decision);
  std::optional<WorkerId> awaiting_successor(std::uint32_t slot) const;
  void replacement_ready(const Worker& replacement, TimePoint now, Decision& decision);
  void recycling_worker_ended(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
                              Decision& decision);
  void replacement_failed(const Worker& replacement, const diagnosis::Diagnosis& why,
                          Decision& decision);
  void conclude(WorkerId old, const Worker& last, TimePoint now, Decision& decision);
  void cancel_recycling(const std::string& because);
  void finish(const Ticket& ticket, const std::string& failure);

  bool is_wanted() const;
  void run(StartReason reason, TimePoint now, Decision& decision);
  void stop_all(diagnosis::Intent why, TimePoint now, Decision& decision);
  void settle(TimePoint now, Decision& decision);
  void enter(PoolState state, TimePoint now, Decision& decision);
  void tell(EventKind kind, const Worker* worker, std::string sentence, Decision& decision,
            Details details = std::monostate{}) const;

  std::shared_ptr<const PoolSettings> settings_;
  std::uint32_t desired_;
  RapidFail rapid_fail_;
  std::map<WorkerId, Worker> workers_;
  std::vector<Slot> slots_;
  std::deque<Ticket> tickets_;                   // waiting
  std::map<WorkerId, Ticket> recycling_;         // by the old worker
  std::map<BatchId, RecycleProgress> progress_;  // the last few
  std::uint64_t next_id_;
  std::uint64_t id_step_;
  std::uint64_t last_batch_ = 0;

  PoolState state_ = PoolState::Stopped;
  std::optional<DisabledReason> disabled_;
  std::string disabled_because_;
  bool demanded_ = false;  // an on_demand pool that was asked for
  bool crashed_ = false;   // the last end was a failure and nobody is ready since
  Availability told_ = Availability::Stopped;

  std::optional<TimePoint> running_since_;
  Duration running_total_{};
  TimePoint last_change_{};
  std::optional<TimePoint> last_trip_;
  std::optional<TimePoint> last_failure_;
  std::shared_ptr<const diagnosis::Certificate> last_certificate_;
};

}  // namespace poolwarden::pool
