// Random lives of a pool, the same ones each time: thousands of inputs of all kinds, in and out of
// order, and after each of them what must always hold.

#include "unit/pool/pool_invariants.h"
#include "unit/pool/pool_watching.h"
#include "unit/seeds.h"

namespace poolwarden::pool {
namespace {

class RandomLife {
 public:
  explicit RandomLife(std::uint32_t seed)
      : random_(seed), bench_(any_settings()), invariants_(bench_) {}

  void live(int steps) {
    observe(bench_.begin());
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      one_input();
      invariants_.check_batches(false);
      if (step % 250 == 249) calm_down();
    }
    end();
  }

  const Invariants& seen() const { return invariants_; }

 private:
  std::uint32_t below(std::uint32_t limit) { return random_.below(limit); }
  bool chance(std::uint32_t percent) { return random_.chance(percent); }

  PoolSettings any_settings() {
    PoolSettings settings = web(1 + below(3));
    if (chance(25)) settings.routes.clear();
    settings.start = std::array{StartMode::Always, StartMode::Always, StartMode::OnDemand,
                                StartMode::Manual}[below(4)];
    settings.recycle.overlapped = chance(60);
    settings.recycle.at_once = 1 + below(3);
    settings.rapid_fail.failures =
        std::array<std::optional<std::uint32_t>, 3>{5u, 2u, std::nullopt}[below(3)];
    settings.rapid_fail.within = 60s;
    settings.rapid_fail.action = {"page-me"};
    if (chance(20)) settings.worker.stop.drain = std::nullopt;
    if (chance(20)) settings.worker.stop.timeout = std::nullopt;
    if (chance(20)) settings.worker.ready.timeout = std::nullopt;
    set_rules(settings);
    return settings;
  }

  void set_rules(PoolSettings& settings) {
    if (chance(30)) settings.workers.max = settings.workers.min + below(3);
    if (chance(40)) settings.recycle.after_requests = 100;
    if (chance(20)) settings.recycle.after_time = 1h;
    settings.recycle.over_memory = Size(Bytes{1000});
    settings.queue.recycle_over = 50;
    settings.health.deadlock_after = 10s;
    settings.health.deadlock_cooldown = 30s;
    settings.health.request_timeout = 5s;
    if (chance(50)) settings.health.ping.http_path = "/healthz";
    if (chance(40)) settings.worker.limits.cpu = Percent{50};
    settings.worker.limits.cpu_action = random_.one_of(
        {worker::CpuAction::Throttle, worker::CpuAction::Kill, worker::CpuAction::Log});
    settings.worker.limits.cpu_window = 10s;
    if (chance(40)) settings.idle.after = 30s;
    if (chance(50)) settings.idle.action = IdleAction::Suspend;
    if (chance(30)) settings.idle.under_pressure_percent = 50;
    if (chance(30)) settings.orphan = {true, {"gcore", "${PID}"}, 1 + below(2)};
    settings.concurrency = 4;
  }

  diagnosis::ExitStatus any_status(const WorkerSnapshot& worker) {
    if (worker.state == WorkerState::Killing && chance(90)) return Signaled{SIGKILL};
    if (!worker.ready && chance(10)) return kNoSuchProgram;
    if (!worker.ready && chance(10)) return NotStarted{SpawnStage::Clone, EAGAIN, ""};
    const diagnosis::ExitStatus ends[] = {Exited{0},         Exited{1},         Exited{127},
                                          Signaled{SIGTERM}, Signaled{SIGSEGV}, Signaled{SIGKILL}};
    return ends[below(std::size(ends))];
  }

  void observe(const Decision& decision) { invariants_.check(decision); }
  void let_end(const WorkerSnapshot& worker, const diagnosis::ExitStatus& status) {
    ended_.push_back(worker.name.id);
    invariants_.check(bench_.exits(number(worker.name.id), status), worker.name.id);
  }

  void one_input() {
    if (bench_.pool.state() == PoolState::Stopped && chance(30)) return observe(bench_.start());
    const std::uint32_t kind = below(1000);
    if (kind < 3) return observe(bench_.stop());
    if (kind < 5) return observe(bench_.shut_down());
    if (kind < 25) return observe(bench_.start());
    if (kind < 60) return observe(bench_.demand());
    if (kind < 200) return recycle();
    if (kind < 420) return pass_time();
    if (kind < 500) return look_at_all();
    if (kind < 510) return scale();
    if (kind < 520) return reconfigure();
    if (kind < 530) return answer_for_nobody();
    if (kind < 532) {
      observe(bench_.shut_down());
      return observe(bench_.kill_all());
    }
    if (kind < 542) return debug();
    if (kind < 600) return tell_of_the_past();
    if (const auto workers = bench_.snapshot().workers; !workers.empty())
      answer_for(workers[below(static_cast<std::uint32_t>(workers.size()))]);
  }

  void recycle() {
    const auto slot = chance(50) ? std::optional(below(4)) : std::nullopt;
    const auto answer = bench_.pool.recycle(slot, RecycleReason::Manual, bench_.now);
    if (!answer) return;
    invariants_.requested(answer->batch);
    observe(answer->decision);
  }

  void debug() {
    if (chance(40)) return observe(bench_.pool.stop_debugging(bench_.now));
    DebugStart start{"gdb", {"gdb", "--args"}, {}, std::nullopt};
    if (chance(50)) start.patience = below(3);
    const auto slot = chance(30) ? std::optional(below(4)) : std::nullopt;
    const auto answer = bench_.pool.debug(std::move(start), slot, bench_.now);
    if (answer) observe(answer->decision);
  }

  // Of one that ended just now, or so long ago that it is forgotten: told with the number of a
  // certificate that is there, or not at all.
  void tell_of_the_past() {
    if (ended_.empty()) return;
    const WorkerId id = ended_[below(static_cast<std::uint32_t>(ended_.size()))];
    if (chance(50)) return observe(bench_.pool.request_cut_short(id, {"GET", "/", 1s}, bench_.now));
    diagnosis::Evidence found;
    found.backtrace = {"main () at app.c:3"};
    const bool is_remembered = bench_.pool.remembers(id);
    const Decision decision = bench_.pool.found_later(id, found);
    EXPECT_EQ(tells(decision, EventKind::WorkerPostMortem), is_remembered);
    observe(decision);
  }

  void look_at_all() {
    Observation seen;
    seen.waiting = std::array<std::uint64_t, 4>{0, 0, 10, 100}[below(4)];
    seen.memory_total = 10'000;
    if (chance(70)) seen.memory_used = 1000 * below(11);
    for (const WorkerId id : bench_.pool.watched()) {
      WorkerObservation& worker = seen.workers[id];
      worker.requests = below(105);
      worker.in_flight = chance(50) ? 0 : below(5);
      worker.tunnels = std::min(worker.in_flight, below(3));
      if (chance(50)) worker.last_response = bench_.now - std::chrono::seconds(below(60));
      if (chance(50)) worker.usage.memory = 500 + below(510);
      if (chance(50)) worker.usage.cpu_time = std::chrono::seconds(below(100));
    }
    observe(look(bench_, seen));
  }

  void scale() {
    const std::uint32_t min = below(4);
    const auto decision = bench_.pool.scale({min, min + below(3)}, bench_.now);
    EXPECT_EQ(decision.has_value(), min > 0);
    if (decision) observe(*decision);
  }

  // What an invariant is told apart by stays.
  void reconfigure() {
    PoolSettings settings = bench_.pool.settings();
    set_rules(settings);
    const auto answer = bench_.pool.reconfigure(
        std::make_shared<const PoolSettings>(std::move(settings)), chance(60), bench_.now);
    invariants_.requested(answer.batch);
    observe(answer.decision);
  }

  void health_of(const WorkerSnapshot& worker) {
    const WorkerId id = worker.name.id;
    switch (below(9)) {
      case 7:
        return bench_.pool.drilled(id, chance(50) ? "exit=3" : "");
      case 0:
        return bench_.pool.ping_begun(id, bench_.now);
      case 1:
        return bench_.pool.ping_ended(id, {worker::PingResult::Answered}, bench_.now);
      case 2:
        return bench_.pool.ping_ended(id, {worker::PingResult::TimedOut}, bench_.now);
      case 3:
        return bench_.pool.traced(id, chance(20));
      case 4:
        return observe(bench_.pool.request_timed_out(id, bench_.now));
      case 6:
        return bench_.pool.drain_broken(id);
      case 5:
        return observe(bench_.pool.worker_reports_unhealthy(id, "no more handles", bench_.now));
      default:
        if (worker.state == WorkerState::Suspended) invariants_.suspension_failed(id);
        return observe(bench_.pool.suspend_failed(id, "cannot freeze", bench_.now));
    }
  }

  // Early, late, in time and twice.
  void pass_time() {
    const auto next = bench_.until_next();
    const Duration steps[] = {0ms, 1ms, 300ms, 5s, 100s, next.value_or(1s), next.value_or(1s) / 2};
    const Duration step = steps[below(std::size(steps))];
    const bool early = !next || step < *next;
    const Decision decision = bench_.tick_after(step);
    observe(decision);
    EXPECT_TRUE(!early || is_empty(decision)) << sentences(decision);
    EXPECT_TRUE(is_empty(bench_.tick_after(0s)));
    EXPECT_TRUE(!bench_.until_next() || *bench_.until_next() > 0s);
  }

  static std::string sentences(const Decision& decision) {
    std::string text = std::to_string(decision.actions.size()) + " actions";
    for (const Event& each : decision.events) text += "; " + each.sentence;
    return text;
  }

  // Any answer, whether it was asked for or not; mostly the one that brings the worker on.
  void answer_for(const WorkerSnapshot& worker) {
    const std::uint64_t id = number(worker.name.id);
    switch (below(9)) {
      case 8:
        return health_of(worker);
      case 0:
        return observe(bench_.pool.worker_spawned(worker.name.id, 1000 + static_cast<int>(id)));
      case 1:
      case 2:
      case 3:
        return observe(bench_.ready(id));
      case 4:
      case 5:
        return observe(bench_.drained(id, invariants_.mark_of(worker.name.id) - below(2)));
      case 6:
        return observe(bench_.pool.worker_status(worker.name.id, "says " + std::to_string(id)));
      default:
        if (worker.state == WorkerState::Serving && chance(70)) return;
        return let_end(worker, any_status(worker));
    }
  }

  void answer_for_nobody() {
    const std::uint64_t nobody = 1'000'000 + below(10);
    EXPECT_TRUE(is_empty(bench_.ready(nobody)));
    EXPECT_TRUE(is_empty(bench_.drained(nobody)));
    EXPECT_TRUE(is_empty(bench_.exits(nobody, kCrash)));
    EXPECT_TRUE(is_empty(bench_.pool.worker_spawned(WorkerId{nobody}, 1)));
  }

  // Pings are answered, nobody waits, memory is plenty.
  void all_is_well() {
    Observation seen;
    for (const WorkerSnapshot& worker : bench_.snapshot().workers) {
      bench_.pool.ping_ended(worker.name.id, {worker::PingResult::Answered}, bench_.now);
      seen.workers[worker.name.id] = {};
    }
    observe(look(bench_, seen));
  }

  // Brings each worker on as a good one behaves; false when there is nothing left to do.
  bool bring_on() {
    bool moved = false;
    for (const WorkerSnapshot& worker : bench_.snapshot().workers) {
      const std::uint64_t id = number(worker.name.id);
      if (worker.state == WorkerState::Starting) observe(bench_.ready(id));
      const bool drains =
          worker.state == WorkerState::Draining || worker.state == WorkerState::Suspending;
      if (drains) observe(bench_.drained(id, invariants_.mark_of(worker.name.id)));
      if (worker.state == WorkerState::Orphaned) let_end(worker, Signaled{SIGKILL});
      if (worker.state == WorkerState::Stopping) let_end(worker, kStoppedWell);
      if (worker.state == WorkerState::Killing) let_end(worker, Signaled{SIGKILL});
      moved =
          moved || (worker.state != WorkerState::Serving && worker.state != WorkerState::Suspended);
    }
    if (const auto next = bench_.until_next()) {
      observe(bench_.tick_after(*next));
      moved = true;
    }
    return moved;
  }

  // When nothing more goes wrong, the pool comes to rest: all its workers serve, or none is left,
  // and every request to recycle has its outcome.
  void calm_down() {
    all_is_well();
    int rounds = 0;
    while (bring_on()) ASSERT_LT(++rounds, 10'000);
    invariants_.check_batches(true);
    const PoolSnapshot shot = bench_.snapshot();
    const bool rests = shot.state == PoolState::Stopped || shot.state == PoolState::Running;
    EXPECT_TRUE(rests) << name(shot.state);
    const bool serves = shot.state == PoolState::Running && shot.workers_desired > 0;
    EXPECT_EQ(shot.workers.size(), serves ? shot.workers_desired : 0u);
    EXPECT_TRUE(shot.state == PoolState::Stopped ||
                bench_.pool.availability() == Availability::Open);
    EXPECT_EQ(bench_.pool.holdup(bench_.now), "");
  }

  void end() {
    observe(bench_.shut_down());
    calm_down();
    EXPECT_EQ(bench_.pool.state(), PoolState::Stopped);
    EXPECT_EQ(bench_.until_next(), std::nullopt);
  }

  Random random_;
  Bench bench_;
  Invariants invariants_;
  std::vector<WorkerId> ended_;
};

TEST(PoolProperty, HoldsWhateverHappens) {
  std::size_t spawns = 0, examinations = 0;
  std::set<Transition> transitions;
  const bool all_ran = for_seeds(200, [&](std::uint32_t seed) {
    RandomLife life(seed);
    life.live(1000);
    spawns += life.seen().spawns();
    examinations += life.seen().examinations();
    transitions.insert(life.seen().transitions().begin(), life.seen().transitions().end());
  });
  if (!all_ran) return;
  EXPECT_GT(spawns, 3000u);  // else these were lives of pools that stood still
  EXPECT_GT(examinations, 300u);
  EXPECT_EQ(transitions, kTransitions);
}

}  // namespace
}  // namespace poolwarden::pool
