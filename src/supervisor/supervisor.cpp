#include "supervisor/supervisor.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <random>

#include "loop/rethrow.h"

namespace poolwarden::supervisor {

namespace asio = boost::asio;
using pool::EventKind;

namespace {

// What TZ or /etc/localtime say.
std::chrono::seconds local_offset(WallTime at) {
  const std::time_t seconds = WallClock::to_time_t(at);
  std::tm local{};
  return std::chrono::seconds(::localtime_r(&seconds, &local) ? local.tm_gmtoff : 0);
}

}  // namespace

Supervisor::Supervisor(asio::io_context& io, config::Settings settings, std::uint32_t cpus,
                       link::ScoreboardMap scoreboard, std::vector<ListeningSocket> sockets,
                       Seams seams, loop::Published<pool::Snapshot>& snapshots)
    : io_(io),
      settings_(std::move(settings)),
      cpus_(cpus),
      seams_(std::move(seams)),
      snapshots_(snapshots),
      scoreboard_(std::move(scoreboard)),
      sockets_(std::move(sockets)),
      rows_(link::kMaxWorkers),
      changes_(io),
      pools_([this](const pool::PoolSettings& pool, std::uint32_t row) {
        return make_runner(pool, row);
      }),
      reload_(around_reload()),
      wait_(io),
      started_(WallClock::now()) {
  for (const pool::PoolSettings& pool : settings_.pools) pools_.add(pool);
  if (settings_.speaks_http()) make_gateway();
}

Pools::Runner Supervisor::make_runner(const pool::PoolSettings& settings, std::uint32_t row) {
  pool::PoolSurroundings around;
  around.cpus = cpus_;
  around.ids = worker_ids_;
  around.jitter_seed = std::random_device()();
  around.offset = local_offset;
  pool::Pool pool(std::make_shared<const pool::PoolSettings>(settings), std::move(around));
  return std::make_shared<PoolRunner>(io_, std::move(pool), row, outside());
}

Reload::Around Supervisor::around_reload() {
  return {io_,
          pools_,
          scoreboard_.board(),
          changes_,
          [this](const link::ToGateway& message) {
            if (gateway_) gateway_->send(message);
          },
          [this](const pool::Event& event) { publish(event); },
          [this] { changed(); },
          [this] { return stopping_; }};
}

void Supervisor::make_gateway() {
  gateway_ = std::make_unique<GatewayLink>(io_, sockets_, scoreboard_, seams_.launch_gateway,
                                           seams_.kill_gateway, gateway_callbacks());
}

Outside Supervisor::outside() {
  return {seams_.host,
          [this](const link::ToGateway& message) { return gateway_ && gateway_->send(message); },
          [this](const pool::Event& event) { publish(event); },
          seams_.run_hook,
          [this] { changed(); },
          [this] { return rows_.take(); },
          [this](std::uint32_t row) { rows_.give_back(row); },
          scoreboard_.board(),
          seams_.memory,
          seams_.pinged};
}

GatewayCallbacks Supervisor::gateway_callbacks() {
  GatewayCallbacks callbacks;
  callbacks.introduction = [this] {
    std::vector<link::ToGateway> all = pools_.introduction();
    if (quiescing_) {
      all.emplace_back(link::Quiesce{});
    } else if (stopping_) {
      all.emplace_back(link::LastCall{});
    }
    return all;
  };
  callbacks.demand = [this](const std::string& name) {
    for (const auto& runner : {pools_.find(name), pools_.find_leaving(name)})
      if (runner) runner->demand();
  };
  callbacks.drained = [this](worker::WorkerId id, std::uint32_t mark) {
    if (const auto runner = pools_.owner_of(id)) runner->worker_drained(id, mark);
  };
  callbacks.drain_broken = [this](worker::WorkerId id) {
    if (const auto runner = pools_.owner_of(id)) runner->drain_broken(id);
  };
  callbacks.timed_out = [this](worker::WorkerId id) {
    if (const auto runner = pools_.owner_of(id)) runner->request_timed_out(id);
  };
  callbacks.cut_short = [this](worker::WorkerId id, const diagnosis::CutRequest& cut) {
    if (const auto runner = pools_.owner_of(id)) runner->request_cut_short(id, cut);
  };
  callbacks.lost = [this] {
    for (const auto& runner : pools_.all()) runner->gateway_lost();
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
  const std::size_t count = settings_.pools.size();
  publish({EventKind::SupervisorStarted, "", std::nullopt,
           "supervises " + std::to_string(count) + (count == 1 ? " pool" : " pools")});
  if (gateway_) {
    if (auto started = gateway_->start(); !started) return started.error();
  }
  for (const auto& runner : pools_.all()) runner->begin();
  changed();
  return {};
}

std::vector<std::string> Supervisor::pool_names() const {
  std::vector<std::string> names;
  for (const auto& runner : pools_.in_service()) names.push_back(name_of(runner));
  return names;
}

void Supervisor::publish(const pool::Event& event) {
  seams_.publish(event);
  note_essential(event);
}

// Runs while a pool is still carrying out its decision: what follows is only noted and posted.
void Supervisor::note_essential(const pool::Event& event) {
  if (event.kind != EventKind::PoolRapidFail && event.kind != EventKind::PoolStartFailure) return;
  const Pools::Runner runner = find(event.pool);
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
    changes_.notify();
    end_if_all_stopped();
  });
}

std::shared_ptr<const pool::Snapshot> Supervisor::snapshot() {
  auto shot = std::make_shared<pool::Snapshot>();
  const TimePoint now = Clock::now();
  shot->taken = WallClock::now();
  shot->supervisor_started = started_;
  shot->stopping = stopping_;
  if (gateway_) shot->shutdown_delay = settings_.shutdown.delay.value_or(Duration{});
  if (gateway_) {
    shot->gateway_pid = gateway_->pid();
    shot->gateway_restarts = gateway_->restarts();
  }
  shot->pools = pools_.snapshots(now, shot->taken);
  for (const ListeningSocket& socket : sockets_) shot->listeners.push_back(socket.name);
  seams_.complete_snapshot(*shot);
  snapshots_.publish(shot);
  return shot;
}

}  // namespace poolwarden::supervisor
