#include "supervisor/pool_runner.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/match.h"

namespace poolwarden::supervisor {
namespace {

namespace asio = boost::asio;
using diagnosis::Intent;
using worker::WorkerId;

dispatch::LossCause loss_cause(Intent why) {
  return why == Intent::Recycle || why == Intent::ScaleDown || why == Intent::IdleTimeout
             ? dispatch::LossCause::Recycle
             : dispatch::LossCause::Shutdown;
}

link::PoolMode pool_mode(pool::Availability availability) {
  switch (availability) {
    case pool::Availability::Open:
      return link::PoolMode::Open;
    case pool::Availability::Restarting:
      return link::PoolMode::Restarting;
    case pool::Availability::Stopped:
      return link::PoolMode::Stopped;
    case pool::Availability::RapidFail:
      return link::PoolMode::RapidFail;
    case pool::Availability::StartFailure:
      return link::PoolMode::StartFailure;
  }
  return link::PoolMode::Stopped;
}

}  // namespace

PoolRunner::PoolRunner(asio::io_context& io, pool::Pool pool, std::uint32_t board_slot,
                       Outside outside)
    : io_(io),
      timer_(io),
      pool_(std::move(pool)),
      board_slot_(board_slot),
      outside_(std::move(outside)) {}

Result<pool::BatchId> PoolRunner::recycle(std::optional<std::uint32_t> slot,
                                          pool::RecycleReason reason) {
  auto answer = pool_.recycle(slot, reason, Clock::now());
  if (!answer) return answer.error();
  apply(answer->decision);
  return answer->batch;
}

void PoolRunner::apply(const pool::Decision& decision) {
  for (const pool::Event& event : decision.events) outside_.publish(event);
  for (const pool::Action& action : decision.actions) {
    std::visit(Match{
                   [&](const pool::SpawnWorker& todo) { spawn(todo.name); },
                   [&](const pool::PublishWorker& todo) { publish_worker(todo.id); },
                   [&](const pool::DrainWorker& todo) { drain(todo); },
                   [&](const pool::StopWorker& todo) { outside_.host.ask_to_stop(todo.id); },
                   [&](const pool::KillWorker& todo) { outside_.host.kill(todo.id); },
                   [&](const pool::RetireWorker& todo) { retire(todo.id); },
                   [&](const pool::SetAvailability& todo) { set_availability(todo.availability); },
                   [&](const pool::RunHook& todo) { outside_.run_hook(todo); },
               },
               action);
  }
  arm_timer();
  outside_.changed();
}

void PoolRunner::spawn(const pool::WorkerName& name) {
  const pool::PoolSettings& settings = pool_.settings();
  const WorkerId id = name.id;
  worker::WorkerCallbacks callbacks;
  callbacks.started = [this, id](int pid) { apply(pool_.worker_spawned(id, pid)); };
  callbacks.ready = [this, id](const worker::Endpoint& endpoint) {
    endpoints_[id] = endpoint;
    apply(pool_.worker_ready(id, Clock::now()));
  };
  callbacks.status = [this, id](const std::string& text) { apply(pool_.worker_status(id, text)); };
  callbacks.exited = [this, id](const diagnosis::Evidence& evidence) {
    endpoints_.erase(id);
    std::erase(draining_, id);
    apply(pool_.worker_exited(id, evidence, Clock::now(), WallClock::now()));
  };
  outside_.host.spawn({id, settings.name, name.slot, name.generation, settings.speaks_http()},
                      settings.worker, std::move(callbacks));
}

void PoolRunner::publish_worker(WorkerId id) {
  const std::optional<std::uint32_t> row = outside_.take_row();
  if (!row) {  // more workers than the scoreboard has rows: this one cannot be given requests
    outside_.host.kill(id);
    return;
  }
  const Published& published =
      published_.insert_or_assign(id, Published{endpoints_.at(id), *row}).first->second;
  outside_.to_gateway(readiness(id, published));
}

void PoolRunner::drain(const pool::DrainWorker& todo) {
  draining_.push_back(todo.id);
  if (outside_.to_gateway(link::DrainWorker{todo.id, loss_cause(todo.why)})) return;
  asio::post(io_, [this, id = todo.id] { worker_drained(id); });
}

void PoolRunner::retire(WorkerId id) {
  const auto found = published_.find(id);
  if (found == published_.end()) return;
  outside_.give_row_back(found->second.row);
  published_.erase(found);
  outside_.to_gateway(link::WorkerGone{id});
}

void PoolRunner::set_availability(pool::Availability availability) {
  if (pool_.settings().speaks_http()) outside_.to_gateway(mode(availability));
}

void PoolRunner::gateway_lost() {
  const std::vector<WorkerId> waiting = draining_;
  for (const WorkerId id : waiting) worker_drained(id);
}

std::vector<link::ToGateway> PoolRunner::introduction() const {
  const pool::PoolSettings& settings = pool_.settings();
  if (!settings.speaks_http()) return {};
  std::vector<link::ToGateway> messages;
  messages.push_back(link::PoolAdded{settings.name, board_slot_, settings.routes,
                                     settings.concurrency, settings.queue,
                                     settings.rapid_fail.when_open, settings.health.request_timeout,
                                     pool_mode(pool_.availability())});
  messages.push_back(mode(pool_.availability()));
  for (const auto& [id, published] : published_) {
    if (pool_.is_serving(id)) messages.push_back(readiness(id, published));
  }
  return messages;
}

link::PoolModeChanged PoolRunner::mode(pool::Availability availability) const {
  link::PoolModeChanged message{pool_.settings().name, pool_mode(availability), std::nullopt};
  const std::optional<Duration> retry = pool_.settings().rapid_fail.retry_after;
  if (availability == pool::Availability::RapidFail && retry) {
    message.retry_after_seconds =
        static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(*retry).count());
  }
  return message;
}

link::WorkerReady PoolRunner::readiness(WorkerId id, const Published& published) const {
  return {pool_.settings().name, id, published.row, published.endpoint};
}

pool::PoolSnapshot PoolRunner::snapshot(TimePoint now, WallTime wall) const {
  pool::PoolSnapshot shot = pool_.snapshot(now, wall);
  shot.board_slot = board_slot_;
  for (pool::WorkerSnapshot& seen : shot.workers) {
    if (const auto found = published_.find(seen.name.id); found != published_.end())
      seen.board_slot = static_cast<std::int32_t>(found->second.row);
    if (const auto found = endpoints_.find(seen.name.id); found != endpoints_.end())
      seen.endpoint = describe(found->second);
  }
  return shot;
}

void PoolRunner::arm_timer() {
  const std::optional<TimePoint> next = pool_.next_deadline();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) apply(pool_.tick(Clock::now()));
  });
}

}  // namespace poolwarden::supervisor
