#include "supervisor/supervisor.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"

namespace poolwarden::supervisor {

namespace asio = boost::asio;
using pool::EventKind;

Supervisor::Supervisor(asio::io_context& io, const config::Settings& settings, std::uint32_t cpus,
                       link::ScoreboardMap scoreboard, std::vector<ListeningSocket> sockets,
                       Seams seams, loop::Published<pool::Snapshot>& snapshots)
    : io_(io),
      seams_(std::move(seams)),
      snapshots_(snapshots),
      scoreboard_(std::move(scoreboard)),
      sockets_(std::move(sockets)),
      rows_(link::kMaxWorkers),
      wait_(io),
      started_(WallClock::now()) {
  for (std::uint64_t number = 0; number < settings.pools.size(); ++number)
    add_pool(settings.pools[number], cpus, number, settings.pools.size());
  if (needs_gateway()) {
    gateway_ = std::make_unique<GatewayLink>(io_, sockets_, scoreboard_, seams_.launch_gateway,
                                             seams_.kill_gateway, gateway_callbacks());
  }
}

void Supervisor::add_pool(const pool::PoolSettings& settings, std::uint32_t cpus,
                          std::uint64_t number, std::uint64_t count) {
  pool::Pool pool(std::make_shared<const pool::PoolSettings>(settings), cpus, number + 1, count);
  runners_.push_back(std::make_unique<PoolRunner>(io_, std::move(pool),
                                                  static_cast<std::uint32_t>(number), outside()));
}

Outside Supervisor::outside() {
  return {seams_.host,
          [this](const link::ToGateway& message) { return gateway_ && gateway_->send(message); },
          [this](const pool::Event& event) { publish(event); },
          seams_.run_hook,
          [this] { changed(); },
          [this] { return rows_.take(); },
          [this](std::uint32_t row) { rows_.give_back(row); }};
}

bool Supervisor::needs_gateway() const {
  return std::any_of(runners_.begin(), runners_.end(),
                     [](const auto& runner) { return runner->pool().settings().speaks_http(); });
}

GatewayCallbacks Supervisor::gateway_callbacks() {
  GatewayCallbacks callbacks;
  callbacks.introduction = [this] {
    std::vector<link::ToGateway> all;
    for (const auto& runner : runners_) {
      for (link::ToGateway& message : runner->introduction()) all.push_back(std::move(message));
    }
    if (stopping_) all.emplace_back(link::Quiesce{});
    return all;
  };
  callbacks.demand = [this](const std::string& name) {
    if (PoolRunner* runner = find(name)) runner->demand();
  };
  callbacks.drained = [this](worker::WorkerId id) {
    for (const auto& runner : runners_) runner->worker_drained(id);
  };
  callbacks.lost = [this] {
    for (const auto& runner : runners_) runner->gateway_lost();
    changed();
  };
  callbacks.quiesced = [this] {
    quiesced_ = true;
    wait_.cancel();
  };
  callbacks.publish = [this](const pool::Event& event) { publish(event); };
  callbacks.changed = [this] { changed(); };
  return callbacks;
}

Result<void> Supervisor::begin() {
  publish({EventKind::SupervisorStarted, "", std::nullopt,
           "supervises " + std::to_string(runners_.size()) +
               (runners_.size() == 1 ? " pool" : " pools")});
  if (gateway_) {
    if (auto started = gateway_->start(); !started) return started.error();
  }
  for (const auto& runner : runners_) runner->begin();
  changed();
  return {};
}

PoolRunner* Supervisor::find(const std::string& pool) {
  const auto found = std::find_if(runners_.begin(), runners_.end(), [&](const auto& runner) {
    return runner->pool().settings().name == pool;
  });
  return found == runners_.end() ? nullptr : found->get();
}

std::vector<std::string> Supervisor::pool_names() const {
  std::vector<std::string> names;
  for (const auto& runner : runners_) names.push_back(runner->pool().settings().name);
  return names;
}

void Supervisor::publish(const pool::Event& event) {
  seams_.publish(event);
  note_essential(event);
}

// Runs while a pool is still carrying out its decision: what follows is only noted and posted.
void Supervisor::note_essential(const pool::Event& event) {
  if (event.kind != EventKind::PoolRapidFail && event.kind != EventKind::PoolStartFailure) return;
  PoolRunner* runner = find(event.pool);
  if (!runner || !runner->pool().settings().essential || stopping_) return;
  asio::post(io_, [this, runner] {
    if (stopping_) return;
    exit_code_ = kExitEssential;
    const pool::PoolSnapshot shot = runner->snapshot(Clock::now(), WallClock::now());
    if (shot.last_certificate) seams_.essential_failed(describe(*shot.last_certificate));
    shut_down("the essential pool " + shot.settings->name + " is out of service");
  });
}

void Supervisor::changed() {
  if (publish_pending_) return;
  publish_pending_ = true;
  asio::post(io_, [this] {
    publish_pending_ = false;
    snapshot();
    end_if_all_stopped();
  });
}

std::shared_ptr<const pool::Snapshot> Supervisor::snapshot() {
  auto shot = std::make_shared<pool::Snapshot>();
  const TimePoint now = Clock::now();
  shot->taken = WallClock::now();
  shot->supervisor_started = started_;
  shot->stopping = stopping_;
  if (gateway_) {
    shot->gateway_pid = gateway_->pid();
    shot->gateway_restarts = gateway_->restarts();
  }
  for (const auto& runner : runners_) shot->pools.push_back(runner->snapshot(now, shot->taken));
  for (const ListeningSocket& socket : sockets_) shot->listeners.push_back(socket.name);
  seams_.complete_snapshot(*shot);
  snapshots_.publish(shot);
  return shot;
}

void Supervisor::shut_down(const std::string& because) {
  if (!stopping_) {
    stopping_ = true;
    publish({EventKind::SupervisorStopping, "", std::nullopt, "is stopping: " + because});
    changed();
    asio::co_spawn(io_, wind_down(), loop::rethrow);
    return;
  }
  if (killing_) {  // something hangs in the kernel: leave it behind
    if (on_end_) std::exchange(on_end_, nullptr)(kExitGaveUp);
    return;
  }
  killing_ = true;
  wait_.cancel();
  for (const auto& runner : runners_) {
    runner->shut_down();
    runner->kill_all();
  }
}

asio::awaitable<void> Supervisor::wind_down() {
  for (const auto& runner : runners_) {
    if (!runner->pool().settings().speaks_http()) runner->shut_down();
  }
  if (gateway_ && !killing_) co_await wait_for_requests();
  for (const auto& runner : runners_) runner->shut_down();
  pools_told_to_stop_ = true;
  changed();
}

// Until the gateway has answered every request that it has, or stop.drain is over.
asio::awaitable<void> Supervisor::wait_for_requests() {
  if (!gateway_->send(link::Quiesce{})) co_return;
  wait_.expires_after(longest_drain());
  while (!quiesced_ && !killing_ && Clock::now() < wait_.expiry()) {
    co_await wait_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!gateway_->pid()) co_return;
  }
}

Duration Supervisor::longest_drain() const {
  Duration longest{};
  constexpr Duration kUnlimited = std::chrono::hours(24 * 365);
  for (const auto& runner : runners_) {
    if (runner->pool().settings().speaks_http())
      longest = std::max(longest, runner->pool().settings().worker.stop.drain.value_or(kUnlimited));
  }
  return longest;
}

void Supervisor::end_if_all_stopped() {
  if (!pools_told_to_stop_ || !on_end_) return;
  const bool all_stopped = std::all_of(runners_.begin(), runners_.end(), [](const auto& runner) {
    return runner->pool().state() == pool::PoolState::Stopped;
  });
  if (!all_stopped) return;
  if (gateway_) {
    gateway_->stop();
    if (gateway_->pid() != 0) return;  // its exit brings us here again
  }
  publish({EventKind::SupervisorStopped, "", std::nullopt, "has stopped"});
  std::exchange(on_end_, nullptr)(exit_code_);
}

}  // namespace poolwarden::supervisor
