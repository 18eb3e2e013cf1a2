// Random lives of a runner among fakes: what workers and gateways say comes in any order, twice,
// late, of workers that are no more, and damaged on its way. What the runner asks of the host and
// tells the gateway must make sense to them at any time.

#include <sstream>

#include "link/codec.h"
#include "unit/pool/pool_invariants.h"
#include "unit/seeds.h"
#include "unit/supervisor/runner_bench.h"

namespace poolwarden::supervisor {
namespace {

using diagnosis::ExitStatus;
using pool::PoolState;
using worker::WorkerState;

constexpr std::uint32_t kRows = 4;

// What host and gateway may hold of the workers, by the lines that the bench notes down.
class Listener {
 public:
  void hear(const std::string& line) {
    SCOPED_TRACE(line);
    std::istringstream words(line);
    std::string who, what;
    std::uint64_t id = 0;
    words >> who >> what >> id;
    if (who == "event:") hear_event(what);
    if (who == "host:") hear_host(what, id);
    if (who == "gateway:") hear_gateway(what, id, line);
  }
  void worker_ended(std::uint64_t id) { living_.erase(id); }
  void gateway_ended() { known_.clear(); }

  PoolState state() const { return state_; }
  bool nobody_is_known() const { return known_.empty(); }

 private:
  struct Living {
    bool suspended = false;
  };

  void hear_event(const std::string& name) {
    for (int kind = 0; kind < pool::kEventKinds; ++kind) {
      if (type_of(static_cast<pool::EventKind>(kind)).name != name) continue;
      const auto next = pool::state_told_by(static_cast<pool::EventKind>(kind));
      if (!next) return;
      EXPECT_TRUE(pool::kTransitions.contains({state_, *next})) << pool::name(state_);
      state_ = *next;
    }
  }

  void hear_host(const std::string& what, std::uint64_t id) {
    if (what == "spawn") {
      EXPECT_TRUE(living_.try_emplace(id).second) << "it lives already";
      return;
    }
    const auto found = living_.find(id);
    if (found == living_.end()) {
      ADD_FAILURE() << "it has ended";
      return;
    }
    Living& worker = found->second;
    if (what == "suspend" || what == "resume") {
      const bool suspends = what == "suspend";
      EXPECT_NE(std::exchange(worker.suspended, suspends), suspends);
    }
  }

  void hear_gateway(const std::string& what, std::uint64_t id, const std::string& line) {
    if (what == "ready") {
      const std::string row = line.substr(line.rfind(' '));
      EXPECT_TRUE(living_.contains(id)) << "it has ended";
      for (const auto& [other, its_row] : known_) EXPECT_NE(its_row, row) << other << " has it";
      EXPECT_TRUE(known_.emplace(id, row).second) << "it is known already";
    }
    EXPECT_TRUE(what != "drain" || living_.contains(id)) << "it has ended";
    if (what == "gone" || what == "abandon") known_.erase(id);
  }

  PoolState state_ = PoolState::Stopped;
  std::map<std::uint64_t, Living> living_;
  std::map<std::uint64_t, std::string> known_;  // to the gateway, by their rows
};

class RandomTalk {
 public:
  explicit RandomTalk(std::uint32_t seed) : random_(seed), bench_(any_settings(), kRows) {
    bench_.pretended = TimePoint(std::chrono::years(100));  // no timer goes off by itself
  }

  void go_on(int steps) {
    bench_.runner.begin();
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      one_input();
      if (random_.chance(80)) do_what_was_put_off();
      listen();
    }
    end();
  }
  std::size_t workers() const { return bench_.host.assignments.size(); }
  std::size_t refused() const { return refused_; }
  const std::set<WorkerState>& states() const { return states_; }

 private:
  struct Fake {
    bool started = false;
    bool ready = false;
  };

  std::optional<Duration> any_limit() {
    return random_.chance(50) ? std::optional<Duration>(1s) : std::nullopt;
  }

  pool::PoolSettings any_settings() {
    pool::PoolSettings settings = web(1 + below(3));
    if (chance(20)) settings.routes.clear();
    settings.worker.ready.timeout = any_limit();
    settings.worker.stop.timeout = any_limit();
    settings.worker.stop.drain = any_limit();
    settings.worker.limits.cpu = Percent{50};
    settings.worker.limits.cpu_action = worker::CpuAction::Kill;
    settings.health.request_timeout = 1s;
    settings.health.ping.notify = chance(50);
    settings.health.ping.timeout = 1s;
    settings.recycle.overlapped = chance(60);
    settings.recycle.after_requests = chance(30) ? std::optional<std::uint64_t>(10) : std::nullopt;
    settings.idle.after = any_limit();
    settings.idle.action = chance(80) ? pool::IdleAction::Suspend : pool::IdleAction::Terminate;
    settings.rapid_fail.failures = chance(50) ? std::optional<std::uint32_t>(3) : std::nullopt;
    if (chance(30)) settings.orphan = {true, {}, 1};
    return settings;
  }

  void one_input() {
    const std::uint32_t kind = below(100);
    if (kind < 45) return hear_of_a_worker();
    if (kind < 70) return hear_of_the_gateway();
    if (kind < 71 || !bench_.has_gateway) return lose_or_find_the_gateway();
    if (kind < 88) return let_time_pass();
    if (kind < 92) return find_later();
    order();
  }

  // What a host may tell, in the order that worker/worker_host.h says.
  void hear_of_a_worker() {
    fakes_of_new_assignments();
    if (fakes_.empty()) return;
    auto at = fakes_.begin();
    std::advance(at, below(static_cast<std::uint32_t>(fakes_.size())));
    auto& [id, fake] = *at;
    const WorkerId worker{id};
    if (!fake.started && chance(70)) {
      fake.started = true;
      return bench_.host.let_start(worker, 1000 + static_cast<int>(id));
    }
    if (fake.started && !fake.ready && chance(70)) {
      fake.ready = true;
      return bench_.be_ready(id);
    }
    if (chance(fake.ready ? 4 : 25)) return let_end(id);
    if (!fake.started) return;
    switch (below(fake.ready ? 6 : 2)) {
      case 0:
        return bench_.host.let_say(worker, "all is well");
      case 1:
        return bench_.host.let_be_unhealthy(worker, "no more handles");
      case 2:
        return bench_.host.let_send_ping(worker);
      case 3:
        return count_for(worker);
      case 4:
        return bench_.host.let_ping(
            worker, chance(50) ? worker::PingResult::Answered : worker::PingResult::TimedOut);
      default:
        return bench_.host.let_memory_grow(worker);  // which has the runner look at all of them
    }
  }

  // As a gateway does in the scoreboard.
  void count_for(WorkerId worker) {
    link::Scoreboard& board = gateway_board_.writable();
    board.pools[3].queue_length = chance(50) ? 0 : below(200);
    for (const pool::WorkerSnapshot& seen : bench_.snapshot().workers) {
      if (seen.name.id != worker || seen.board_slot < 0) continue;
      link::WorkerRow& row = board.workers[static_cast<std::size_t>(seen.board_slot)];
      row.requests = row.requests + below(5);
      row.in_flight = chance(70) ? 0 : below(3);
    }
  }

  void fakes_of_new_assignments() {
    for (const auto& [id, assignment] : bench_.host.assignments) {
      if (worker::number(id) <= newest_) continue;
      newest_ = worker::number(id);
      fakes_.emplace(newest_, Fake{});
      bench_.host.usages[id].cpu_time = std::chrono::seconds(below(100));
      if (chance(20)) bench_.host.cannot_suspend.insert(id);
      if (chance(10)) bench_.host.traced.insert(id);
    }
  }

  void let_end(std::uint64_t id) {
    const ExitStatus ends[] = {diagnosis::Exited{0}, diagnosis::Exited{3}, diagnosis::Signaled{11},
                               diagnosis::Signaled{9},
                               diagnosis::NotStarted{diagnosis::SpawnStage::Clone, EAGAIN, ""}};
    fakes_.erase(id);
    listen();  // what was asked of it, it was asked before
    listener_.worker_ended(id);
    was_.erase(WorkerId{id});
    ended_.push_back(WorkerId{id});
    bench_.end(id, ends[below(std::size(ends))]);
  }

  // Of one that ended just now or long ago.
  void find_later() {
    if (ended_.empty()) return;
    const WorkerId id = ended_[below(static_cast<std::uint32_t>(ended_.size()))];
    std::erase(ended_, id);
    diagnosis::Evidence found;
    if (chance(70)) found.core = {"/srv/core", 4096, ""};
    if (chance(70)) found.backtrace = {"main () at app.c:3"};
    bench_.host.let_find_later(id, found);
  }

  // As GatewayLink hands it on: what cannot be read ends the gateway.
  void hear_of_the_gateway() {
    if (!bench_.has_gateway) return;
    if (last_packet_.empty() || chance(80)) last_packet_ = link::encode(any_message());
    std::string packet = last_packet_;
    if (chance(20))
      packet[below(static_cast<std::uint32_t>(packet.size()))] ^= char(1 + below(127));
    const auto message = link::decode_to_supervisor(packet);
    if (!message) {
      ++refused_;
      return lose_the_gateway();
    }
    PoolRunner& runner = bench_.runner;
    if (std::get_if<link::Demand>(&*message)) runner.demand();
    if (const auto* it = std::get_if<link::WorkerDrained>(&*message))
      runner.worker_drained(it->id, it->mark);
    if (const auto* it = std::get_if<link::DrainBroken>(&*message)) runner.drain_broken(it->id);
    if (const auto* it = std::get_if<link::RequestTimedOut>(&*message))
      runner.request_timed_out(it->id);
    if (const auto* it = std::get_if<link::RequestCutShort>(&*message))
      runner.request_cut_short(it->id, {it->method, it->path, it->age});
  }

  link::ToSupervisor any_message() {
    const WorkerId id{chance(90) ? 1 + below(static_cast<std::uint32_t>(newest_) + 1) : random_()};
    switch (below(9)) {
      case 0:
        return link::Demand{"web"};
      case 1:
        return link::RequestTimedOut{id};
      case 2:
        return link::DrainBroken{id};
      case 3:
        return link::RequestCutShort{id, "GET", "/slow", 1s};
      default:
        return link::WorkerDrained{id, chance(80) ? marks_[id] : below(4)};
    }
  }

  void lose_or_find_the_gateway() {
    if (bench_.has_gateway) return lose_the_gateway();
    bench_.has_gateway = true;
    for (const link::ToGateway& message : bench_.runner.introduction())
      bench_.story.push_back("gateway: " + text(message));
  }
  void lose_the_gateway() {
    listen();
    listener_.gateway_ended();
    bench_.has_gateway = false;
    bench_.runner.gateway_lost();
    for (const pool::WorkerSnapshot& worker : bench_.snapshot().workers) {
      EXPECT_NE(worker.state, WorkerState::Draining) << "its requests died with the gateway";
      EXPECT_NE(worker.state, WorkerState::Suspending) << "its requests died with the gateway";
    }
  }

  // Early, late, in time and not at all.
  void let_time_pass() {
    const TimePoint now = bench_.now();
    const Duration due = bench_.runner.wakes_at().value_or(now + 1s) - now;
    bench_.pretended = now + random_.one_of<Duration>({0ms, 1ms, 300ms, 5s, 100s, due, due / 2});
    if (chance(80)) bench_.runner.tick();
    if (chance(50)) bench_.runner.observe();
  }
  void do_what_was_put_off() {
    bench_.io.restart();
    bench_.io.poll();
  }

  void order() {
    PoolRunner& runner = bench_.runner;
    switch (below(10)) {
      case 0:
        if (chance(30)) runner.stop();
        return;
      case 1:
        if (chance(5)) runner.shut_down();
        return;
      case 2:
        (void)runner.recycle(std::nullopt, pool::RecycleReason::Manual);
        return;
      case 3:
        (void)runner.recycle(below(3), pool::RecycleReason::Manual);
        return;
      case 4:
        (void)runner.scale({1 + below(3), 3});
        return;
      case 5:
        return reconfigure();
      case 6:
        (void)runner.debug({"gdb", {"gdb", "--args"}, {}, below(3)}, std::nullopt);
        return;
      case 7:
        return runner.stop_debugging();
      default:
        runner.start();
    }
  }

  // A change of the first route is a restart, which another one sees to.
  void reconfigure() {
    const bool speaks_http = bench_.runner.pool().settings().speaks_http();
    pool::PoolSettings settings = any_settings();
    settings.routes.clear();
    if (speaks_http) settings.routes = {pool::Route{}};
    bench_.runner.reconfigure(std::make_shared<const pool::PoolSettings>(std::move(settings)),
                              chance(50));
  }

  void listen() {
    for (const link::ToGateway& message : std::exchange(bench_.sent, {})) {
      if (const auto* drain = std::get_if<link::DrainWorker>(&message))
        marks_[drain->id] = drain->mark;
    }
    for (const std::string& line : bench_.look()) listener_.hear(line);
    const pool::PoolSnapshot shot = bench_.snapshot();
    EXPECT_EQ(listener_.state(), shot.state);
    EXPECT_EQ(bench_.runner.wakes_at(), bench_.runner.pool().next_deadline());
    std::set<std::int32_t> rows;
    for (const pool::WorkerSnapshot& worker : shot.workers) {
      EXPECT_TRUE(worker.board_slot < 0 || rows.insert(worker.board_slot).second);
      follow(worker);
    }
  }

  // One input may bring it two states further.
  void follow(const pool::WorkerSnapshot& worker) {
    const auto [known, is_new] = was_.try_emplace(worker.name.id, WorkerState::Starting);
    const WorkerState before = std::exchange(known->second, worker.state);
    bool is_way = before == worker.state || can_become(before, worker.state);
    for (int state = 0; !is_way && state <= static_cast<int>(WorkerState::Exited); ++state) {
      const auto between = static_cast<WorkerState>(state);
      is_way = can_become(before, between) && can_become(between, worker.state);
    }
    EXPECT_TRUE(is_way) << worker::number(worker.name.id) << ": " << name(before) << " -> "
                        << name(worker.state);
    states_.insert(worker.state);
  }

  // Shut down, all workers end, and nothing is left of them: no row, and nobody that a gateway
  // would still send requests to.
  void end() {
    bench_.runner.shut_down();
    bench_.runner.kill_all();
    fakes_of_new_assignments();
    while (!fakes_.empty()) let_end(fakes_.begin()->first);
    do_what_was_put_off();
    listen();
    EXPECT_EQ(listener_.state(), PoolState::Stopped);
    EXPECT_TRUE(listener_.nobody_is_known());
    EXPECT_FALSE(bench_.runner.pool().has_workers());
    std::set<std::uint32_t> rows;
    while (const auto row = bench_.rows.take()) rows.insert(*row);
    EXPECT_EQ(rows.size(), kRows);
  }

  std::uint32_t below(std::uint32_t limit) { return random_.below(limit); }
  bool chance(std::uint32_t percent) { return random_.chance(percent); }

  Random random_;
  RunnerBench bench_;
  link::ScoreboardMap gateway_board_ =
      link::ScoreboardMap::open_for_writing(bench_.board.fd()).value();
  Listener listener_;
  std::map<std::uint64_t, Fake> fakes_;
  std::uint64_t newest_ = 0;
  std::vector<WorkerId> ended_;  // of which nothing more was found yet
  std::map<WorkerId, WorkerState> was_;
  std::set<WorkerState> states_;  // that were seen
  std::map<WorkerId, std::uint32_t> marks_;
  std::string last_packet_;
  std::size_t refused_ = 0;
};

TEST(RunnerProperty, MakesSenseWhateverItIsTold) {
  std::size_t workers = 0, refused = 0;
  std::set<WorkerState> states;
  const bool all_ran = for_seeds(40, [&](std::uint32_t seed) {
    RandomTalk talk(seed);
    talk.go_on(1000);
    workers += talk.workers();
    refused += talk.refused();
    states.insert(talk.states().begin(), talk.states().end());
  });
  if (!all_ran) return;
  EXPECT_GT(workers, 500u);  // else these were lives of pools that stood still
  EXPECT_GT(refused, 50u);
  EXPECT_EQ(states.size(), static_cast<std::size_t>(WorkerState::Exited));  // all but that one
}

}  // namespace
}  // namespace poolwarden::supervisor
