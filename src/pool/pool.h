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
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pool/cpu_rule.h"
#include "pool/debugging.h"
#include "pool/decision.h"
#include "pool/garden.h"
#include "pool/health.h"
#include "pool/idle.h"
#include "pool/observation.h"
#include "pool/pool_settings.h"
#include "pool/rapid_fail.h"
#include "pool/recycle_rules.h"
#include "pool/recycle_schedule.h"
#include "pool/recycling.h"
#include "pool/snapshot.h"

namespace poolwarden::pool {

// Hands out ids to the workers of all pools; never one twice.
class WorkerIds {
 public:
  WorkerId next() { return WorkerId{++last_}; }

 private:
  std::uint64_t last_ = 0;
};

struct PoolSurroundings {
  std::uint32_t cpus = 1;  // what `workers: 0` means, unless limits.affinity names some
  std::shared_ptr<WorkerIds> ids = std::make_shared<WorkerIds>();
  std::uint64_t jitter_seed = 0;
  UtcOffset offset = [](WallTime) { return std::chrono::seconds(0); };
};

class Pool {
 public:
  Pool(std::shared_ptr<const PoolSettings> settings, PoolSurroundings around);

  // Commands. The supervisor begins; an administrator starts, stops, recycles and scales.
  Decision begin(TimePoint now);
  Decision start(TimePoint now);
  Decision stop(TimePoint now);
  // A reload takes the pool out of the configuration, or changes what cannot change while it runs.
  Decision stop_for_reload(TimePoint now);
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
  // How many workers there are to be from now on, until the next change of the file's `workers`.
  // Errors: none at all.
  Result<Decision> scale(WorkerCount wanted, TimePoint now);
  // New settings, in effect at once for what the supervisor and the gateway do. `recycle`: workers
  // that were started with the old ones are replaced; else only those that start later get them.
  RecycleAnswer reconfigure(std::shared_ptr<const PoolSettings> settings, bool recycle,
                            TimePoint now);

  // How the next worker comes to be started.
  enum class DebugWay {
    Recycle,      // in the place of one that serves until then
    NextStart,    // none serves that could be recycled
    WhenStarted,  // the pool is stopped
  };
  struct DebugAnswer {
    Decision decision;
    DebugId id{};
    DebugWay way = DebugWay::NextStart;
  };
  // The next worker that is started, in the place of that slot's if it is named, starts so; the one
  // after it as ever. Its failure is none of the pool's. Errors: a slot without a serving worker.
  Result<DebugAnswer> debug(DebugStart start, std::optional<std::uint32_t> slot, TimePoint now);
  // Withdraws an order that waits, and replaces the workers that were started so.
  Decision stop_debugging(TimePoint now);
  // Tells of a tool that cannot be used.
  Decision debugger_failed(const std::string& sentence) const;

  // What happened.
  Decision demand(TimePoint now);  // requests wait and no worker can take them
  Decision worker_spawned(WorkerId id, int pid);
  Decision worker_ready(WorkerId id, TimePoint now);
  Decision worker_status(WorkerId id, const std::string& text);
  // `mark`: of the DrainWorker that is answered; a late answer to an earlier one changes nothing.
  Decision worker_drained(WorkerId id, std::uint32_t mark, TimePoint now);
  Decision worker_exited(WorkerId id, const diagnosis::Evidence& evidence, TimePoint now,
                         WallTime wall);
  // Of one that has ended, or is about to: told by WorkerPostMortem, unless its end is to be told
  // yet. Nothing of one whose end is long past.
  Decision request_cut_short(WorkerId id, const diagnosis::CutRequest& cut, TimePoint now);
  Decision found_later(WorkerId id, const diagnosis::Evidence& found);
  Decision suspend_failed(WorkerId id, const std::string& why, TimePoint now);
  Decision worker_reports_unhealthy(WorkerId id, const std::string& reason, TimePoint now);
  // It broke off a request while it was drained: its end is its own doing, though the message that
  // it is drained, and with it the stop signal, may come before word of its end.
  void drain_broken(WorkerId id);
  Decision request_timed_out(WorkerId id, TimePoint now);
  void ping_begun(WorkerId id, TimePoint now);
  void ping_ended(WorkerId id, const worker::PingAnswer& answer, TimePoint now);

  // What is seen every observation_interval(); absent: there is nothing to look for. Applies all
  // rules about requests, age, memory, the schedule, the queue, idleness and growth.
  Decision observe(const Observation& seen, TimePoint now, WallTime wall);
  std::optional<Duration> observation_interval() const;

  // Applies every deadline that has passed. Late or repeated calls do no harm.
  Decision tick(TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  // Whom the next tick would find unhealthy: look again at what they do, and for debuggers.
  std::vector<WorkerId> suspects(TimePoint now) const;
  void traced(WorkerId id, bool by_debugger);
  // A fire drill does this to it: "segv"; empty: the drill is over.
  void drilled(WorkerId id, const std::string& what);

  // What others ask.
  const PoolSettings& settings() const { return *settings_; }
  PoolState state() const { return state_; }
  std::optional<DisabledReason> disabled() const { return disabled_; }
  const std::string& disabled_because() const { return disabled_because_; }
  Availability availability() const;
  bool is_published(WorkerId id) const;  // its pool's gateway has been told of it
  bool is_serving(WorkerId id) const;
  bool has(WorkerId id) const { return workers_.contains(id); }
  bool remembers(WorkerId id) const;                      // it has ended not long ago
  bool has_workers() const { return !workers_.empty(); }  // those kept for inspection too
  bool is_complete() const;                               // as many workers serve as it wants now
  std::vector<WorkerId> watched() const;                  // those that observe() wants to know of
  // Absent when it is so long ago that it was forgotten.
  std::optional<RecycleProgress> progress(BatchId batch) const;
  // Who keeps the pool from being recycled or stopped: for people who wait.
  std::string holdup(TimePoint now) const;
  std::optional<Debugging::Standing> debugging(DebugId id) const { return debugging_.standing(id); }
  bool is_debug_over(DebugId id) const { return debugging_.is_over(id); }
  bool is_debugging() const;  // an order waits, or a worker has been started so
  // `wall` is the same instant as `now`.
  PoolSnapshot snapshot(TimePoint now, WallTime wall) const;

 private:
  struct Worker {
    WorkerName name;
    WorkerState state = WorkerState::Starting;
    Ping pings;  // as it was started with
    TimePoint spawned;
    TimePoint since;  // it entered its state
    std::optional<TimePoint> ready_at;
    std::optional<TimePoint> deadline;  // for leaving its state
    std::optional<Duration> overran;    // the first limit that it did not keep, as that was then
    diagnosis::Intent intent = diagnosis::Intent::None;
    bool kill_sent = false;
    bool published = false;
    std::optional<WorkerId> replaces;  // by a recycle; it leaves when this one is ready
    bool in_place = false;      // nobody takes its slot before it is gone, for it is recycled so,
    bool fills_memory = false;  // or for there is no memory for one more beside it
    std::uint32_t drain_mark = 0;  // of the last DrainWorker
    std::string status_text;
    std::string debug_tool;  // it was started under; empty: none
    std::string drill;       // that is done to it; empty: none

    // What is known of it while it serves.
    std::optional<std::uint64_t> memory;  // bytes, as last seen
    PingWatch ping;
    Watchdog watchdog;
    DeadlockWatch deadlock;
    IdleWatch idle{TimePoint{}};
    CpuWatch cpu;
    worker::Limits limits;             // that it was started with
    int looks_outside_its_cgroup = 0;  // one after the other
    std::optional<Ailment> ailment;
    bool failure_counted = false;
    bool cut_a_request_short = false;  // before it was asked to stop
    bool kept_aside = false;
    bool examined = false;  // what its threads did was noted
    std::vector<diagnosis::CutRequest> cut_requests;
    bool is_traced = false;
    bool trace_told = false;
    std::optional<RecycleReason> owes;    // it is to be recycled, for what happened once
    std::optional<TimePoint> not_before;  // its replacement failed: not tried again before
    std::uint32_t failed_replacements = 0;
  };
  // One that has ended, and what has become known of it since.
  struct Past {
    WorkerName name;
    diagnosis::Circumstances circumstances;
    std::shared_ptr<const diagnosis::Certificate> certificate;
    diagnosis::Evidence found;
    std::optional<TimePoint> tell_at;
    bool is_awaited = false;  // somebody still looks at it
  };
  struct Slot {
    bool wanted = false;
    std::uint64_t generations = 0;
    std::uint32_t failures_in_a_row = 0;
    std::optional<TimePoint> respawn_at;
    std::optional<TimePoint> last_deadlock;
  };

  // pool_workers.cpp: one worker from state to state.
  void spawn(std::uint32_t slot, StartReason reason, std::optional<WorkerId> replaces,
             TimePoint now, Decision& decision);
  void fill(StartReason reason, TimePoint now, Decision& decision);
  bool is_open(std::uint32_t slot) const;
  void leave(Worker& worker, diagnosis::Intent why, TimePoint now, Decision& decision);
  void drain(Worker& worker, diagnosis::Intent why, Decision& decision) const;
  void ask_to_stop(Worker& worker, TimePoint now, Decision& decision);
  static void examine(Worker& worker, Decision& decision);
  void kill(Worker& worker, TimePoint now, Decision& decision);
  void move(Worker& worker, WorkerState to, TimePoint now, std::optional<Duration> limit);
  void deadline_passed(Worker& worker, TimePoint now, Decision& decision);
  bool any(WorkerState state) const { return count(state) > 0; }
  std::uint32_t count(WorkerState state) const;
  Worker* find(WorkerId id);
  bool uses_http() const { return settings_->speaks_http(); }

  // pool_post_mortem.cpp: what becomes known after an end.
  void remember(const Worker& worker, std::shared_ptr<const diagnosis::Certificate> certificate);
  Past* find_past(WorkerId id);
  void tell_more(Past& past, Decision& decision);
  void tell_of_past(TimePoint now, Decision& decision);

  // pool_failures.cpp: what an unexpected end leads to.
  diagnosis::Circumstances circumstances_of(const Worker& worker) const;
  std::shared_ptr<const diagnosis::Certificate> certify(const Worker& worker,
                                                        const diagnosis::Evidence& evidence,
                                                        TimePoint now, WallTime wall) const;
  bool is_spare(const Worker& worker) const;
  bool is_alone() const;
  void failed(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
              Decision& decision);
  void trip(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
            Decision& decision);
  void disable(DisabledReason reason, const std::string& because, TimePoint now,
               Decision& decision);

  // pool_health.cpp: pings, deadlocks, requests that take too long.
  std::optional<TimePoint> health_deadline(const Worker& worker) const;
  std::optional<TimePoint> ping_deadline(const Worker& worker) const;
  std::optional<TimePoint> deadlock_deadline(const Worker& worker) const;
  void check_health(Worker& worker, TimePoint now, Decision& decision);
  std::optional<Duration> limit_of(const Worker& worker, Ailment ailment) const;
  void unhealthy(Worker& worker, Ailment ailment, const std::string& sentence, TimePoint now,
                 Decision& decision);
  void leave_alone(Worker& worker, const std::string& sentence, Ailment ailment, TimePoint now,
                   Decision& decision);
  static void watch_anew(Worker& worker, TimePoint now);
  void end_unhealthy(Worker& worker, TimePoint now, Decision& decision);
  bool may_be_kept() const;
  void keep_aside(Worker& worker, TimePoint now, Decision& decision);

  // pool_rules.cpp: what observations lead to.
  void look_at(Worker& worker, const WorkerObservation& seen, bool requests_wait, TimePoint now,
               Decision& decision);
  void check_containment(Worker& worker, const worker::Usage& seen, Decision& decision);
  void check_cpu(Worker& worker, const worker::Usage& seen, TimePoint now, Decision& decision);
  void apply_rules(const Observation& seen, TimePoint now, Decision& decision);
  std::optional<RecycleReason> due(const Worker& worker, const WorkerObservation& seen,
                                   TimePoint now) const;
  void check_queue(const Observation& seen, TimePoint now);
  void ask_by_rule(const Worker& worker, RecycleReason reason, TimePoint now);

  // pool_recycling.cpp: tickets.
  Ticket make_ticket(const Worker& worker, RecycleReason reason, BatchId batch, TimePoint now);
  void request(const Worker& worker, RecycleReason reason, BatchId batch, TimePoint now);
  bool is_to_be_recycled(WorkerId id) const;
  std::uint32_t under_way(TimePoint now) const;
  BatchId new_batch();
  void advance_recycling(TimePoint now, Decision& decision);
  void begin_recycling(Ticket ticket, RecycleWay way, TimePoint now, Decision& decision);
  std::variant<RecycleWay, Deferral> way_of(const Worker& worker) const;
  bool fits_another(const Worker& worker) const;
  std::optional<std::uint64_t> memory_for_another() const;
  std::uint32_t still_leaving(std::uint32_t slot) const;
  void defer(Ticket& ticket, Deferral why, Decision& decision);
  std::optional<WorkerId> awaiting_successor(std::uint32_t slot) const;
  void replacement_ready(const Worker& replacement, TimePoint now, Decision& decision);
  void recycling_worker_ended(const Worker& worker, const diagnosis::Diagnosis& why, TimePoint now,
                              Decision& decision);
  void replacement_failed(const Worker& replacement, const diagnosis::Diagnosis& why, TimePoint now,
                          Decision& decision);
  void conclude(WorkerId old, const Worker& last, TimePoint now, Decision& decision);
  void cancel_recycling(const std::string& because);
  void finish(const Ticket& ticket, const std::string& failure);

  // pool_debugging.cpp: starts that are debugged.
  void forget_replacement(Worker& worker);

  // pool_scaling.cpp: how many workers.
  std::uint32_t desired() const;
  void want(std::uint32_t workers);
  void unwant(std::uint32_t slot);
  std::uint32_t workers_for_cpus() const;
  void take_count(WorkerCount count);
  void grow_or_shrink(const Observation& seen, TimePoint now, Decision& decision);
  void shrink_to(std::uint32_t workers, TimePoint now, Decision& decision);
  void tell_scaled(std::uint32_t before, const std::string& because, Decision& decision) const;

  // pool_idle.cpp: those that have nothing to do.
  void check_idle(const Observation& seen, TimePoint now, Decision& decision);
  void set_idle_divisor(std::uint32_t divisor, Decision& decision);
  void suspend(Worker& worker, TimePoint now, Decision& decision);
  void replace_suspended(Worker& worker, RecycleReason reason, BatchId batch, TimePoint now,
                         Decision& decision);
  void resume(Worker& worker, TimePoint now, Decision& decision);
  bool resume_one(TimePoint now, Decision& decision);

  bool is_wanted() const;
  void run(StartReason reason, TimePoint now, Decision& decision);
  void stop_all(diagnosis::Intent why, TimePoint now, Decision& decision);
  void settle(TimePoint now, Decision& decision);
  void enter(PoolState state, TimePoint now, Decision& decision);
  void tell(EventKind kind, const Worker* worker, std::string sentence, Decision& decision,
            Details details = std::monostate{}) const;

  std::shared_ptr<const PoolSettings> settings_;
  PoolSurroundings around_;
  std::uint32_t min_ = 1;
  std::uint32_t max_ = 1;
  RapidFail rapid_fail_;
  RecycleSchedule schedule_;
  Garden garden_;
  std::map<WorkerId, Worker> workers_;
  std::vector<Slot> slots_;
  std::deque<Past> past_;                        // the last few, and those that are still looked at
  std::deque<Ticket> tickets_;                   // waiting
  std::map<WorkerId, Ticket> recycling_;         // by the old worker
  std::map<BatchId, RecycleProgress> progress_;  // the last few
  std::uint64_t last_batch_ = 0;
  Debugging debugging_;
  BatchId debugging_batch_{};  // of the recycle that the last order asked for

  PoolState state_ = PoolState::Stopped;
  std::optional<DisabledReason> disabled_;
  std::string disabled_because_;
  bool crashed_ = false;  // the last end was a failure and nobody is ready since
  bool has_begun_ = false;
  Availability told_ = Availability::Stopped;

  std::uint64_t memory_total_ = 0;
  std::optional<std::uint64_t> memory_free_;  // bytes of it, as last seen
  std::optional<TimePoint> queue_recycled_;   // for its length; absent: it has been short since
  std::uint32_t idle_divisor_ = 1;
  bool cannot_suspend_ = false;

  std::optional<TimePoint> running_since_;
  Duration running_total_{};
  TimePoint last_change_{};
  std::optional<TimePoint> last_trip_;
  std::optional<TimePoint> last_failure_;
  std::shared_ptr<const diagnosis::Certificate> last_certificate_;
};

}  // namespace poolwarden::pool
