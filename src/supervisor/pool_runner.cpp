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
  switch (why) {
    case Intent::Recycle:
    case Intent::ScaleDown:
    case Intent::IdleTimeout:
      return dispatch::LossCause::Recycle;
    case Intent::Reload:
      return dispatch::LossCause::Reload;
    case Intent::PoolStop:
    case Intent::Shutdown:
      return dispatch::LossCause::Shutdown;
    case Intent::None:
    case Intent::StartupTimeout:
    case Intent::PingTimeout:
    case Intent::RequestTimeout:
    case Intent::Deadlock:
      return dispatch::LossCause::WorkerDied;
  }
  return dispatch::LossCause::WorkerDied;
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
      outside_(std::move(outside)),
      observer_(outside_.board, board_slot, outside_.host, outside_.memory),
      observation_timer_(io) {}

Result<pool::BatchId> PoolRunner::recycle(std::optional<std::uint32_t> slot,
                                          pool::RecycleReason reason) {
  auto answer = pool_.recycle(slot, reason, outside_.now());
  if (!answer) return answer.error();
  apply(answer->decision);
  return answer->batch;
}

Result<PoolRunner::DebugAnswer> PoolRunner::debug(pool::DebugStart start,
                                                  std::optional<std::uint32_t> slot) {
  auto answer = pool_.debug(std::move(start), slot, outside_.now());
  if (!answer) return answer.error();
  apply(answer->decision);
  return DebugAnswer{answer->id, answer->way};
}

Result<void> PoolRunner::scale(pool::WorkerCount wanted) {
  auto decision = pool_.scale(wanted, outside_.now());
  if (!decision) return decision.error();
  apply(*decision);
  return {};
}

pool::BatchId PoolRunner::reconfigure(std::shared_ptr<const pool::PoolSettings> settings,
                                      bool recycle) {
  auto answer = pool_.reconfigure(std::move(settings), recycle, outside_.now());
  if (pool_.settings().speaks_http()) {
    outside_.to_gateway(description());
    outside_.to_gateway(mode(pool_.availability()));
  }
  apply(answer.decision);
  arm_observation();  // shorter limits are looked at sooner
  return answer.batch;
}

void PoolRunner::apply(const pool::Decision& decision) {
  for (const pool::Event& event : decision.events) outside_.publish(event);
  for (const pool::Action& action : decision.actions) {
    std::visit(
        Match{
            [&](const pool::SpawnWorker& todo) { spawn(todo); },
            [&](const pool::PublishWorker& todo) { publish_worker(todo.id); },
            [&](const pool::DrainWorker& todo) { drain(todo); },
            [&](const pool::StopWorker& todo) { outside_.host.ask_to_stop(todo.id); },
            [&](const pool::SignalWorker& todo) { outside_.host.signal(todo.id, todo.signal); },
            [&](const pool::ExamineWorker& todo) { outside_.host.examine(todo.id); },
            [&](const pool::KillWorker& todo) { outside_.host.kill(todo.id); },
            [&](const pool::SuspendWorker& todo) { suspend(todo.id); },
            [&](const pool::ResumeWorker& todo) { outside_.host.resume(todo.id); },
            [&](const pool::AbandonWorker& todo) { abandon(todo.id); },
            [&](const pool::RetireWorker& todo) { retire(todo.id); },
            [&](const pool::SetAvailability& todo) { set_availability(todo.availability); },
            [&](const pool::RunHook& todo) { outside_.run_hook(todo); },
        },
        action);
  }
  arm_timer();
  if (!observing_) arm_observation();
  outside_.changed();
}

void PoolRunner::spawn(const pool::SpawnWorker& todo) {
  const pool::WorkerName& name = todo.name;
  const pool::PoolSettings& settings = pool_.settings();
  outside_.host.spawn({name.id, settings.name, name.slot, name.generation, settings.speaks_http(),
                       watch(), todo.wrapper, todo.extra_environment},
                      settings.worker, callbacks_for(name.id));
}

// Also of one that the gateway knew before it was to be suspended: it must forget the drain mark.
void PoolRunner::publish_worker(WorkerId id) {
  draining_.erase(id);
  if (const auto known = published_.find(id); known != published_.end()) {
    outside_.to_gateway(link::WorkerGone{id});
    return introduce(id, known->second);
  }
  const std::optional<std::uint32_t> row = outside_.take_row();
  if (!row) {  // more workers than the scoreboard has rows: this one cannot be given requests
    outside_.host.kill(id);
    return;
  }
  const Published& published =
      published_.insert_or_assign(id, Published{endpoints_.at(id), *row, false}).first->second;
  introduce(id, published);
}

void PoolRunner::introduce(WorkerId id, const Published& published) {
  if (outside_.to_gateway(readiness(id, published))) published.counted = true;
}

void PoolRunner::suspend(WorkerId id) {
  draining_.erase(id);
  outside_.to_gateway(link::WorkerGone{id});
  if (auto suspended = outside_.host.suspend(id); !suspended) {
    asio::post(io_, [this, id, why = suspended.error().message] {
      apply(pool_.suspend_failed(id, why, outside_.now()));
    });
  }
}

void PoolRunner::abandon(WorkerId id) {
  outside_.host.stop_watching(id);
  draining_.erase(id);
  const auto found = published_.find(id);
  if (found == published_.end()) return;
  served_[id] = requests_of(id);
  outside_.give_row_back(found->second.row);
  published_.erase(found);
  outside_.to_gateway(link::AbandonWorker{id});
}

// Answered so far, as the gateway has counted.
std::uint64_t PoolRunner::requests_of(WorkerId id) const {
  if (const auto found = published_.find(id); found != published_.end())
    return link::load(outside_.board.workers[found->second.row].requests);
  const auto found = served_.find(id);
  return found == served_.end() ? 0 : found->second;
}

void PoolRunner::drain(const pool::DrainWorker& todo) {
  draining_[todo.id] = todo.mark;
  if (outside_.to_gateway(
          link::DrainWorker{todo.id, loss_cause(todo.why), todo.tunnel_limit, todo.mark}))
    return;
  asio::post(io_, [this, id = todo.id, mark = todo.mark] { worker_drained(id, mark); });
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
  const std::map<WorkerId, std::uint32_t> waiting = draining_;
  for (const auto& [id, mark] : waiting) worker_drained(id, mark);
}

std::vector<link::ToGateway> PoolRunner::introduction() const {
  const pool::PoolSettings& settings = pool_.settings();
  if (!settings.speaks_http()) return {};
  std::vector<link::ToGateway> messages;
  messages.emplace_back(description());
  messages.push_back(mode(pool_.availability()));
  for (const auto& [id, published] : published_) {
    if (!pool_.is_serving(id)) continue;
    messages.emplace_back(readiness(id, published));
    published.counted = true;
  }
  return messages;
}

link::PoolAdded PoolRunner::description() const {
  const pool::PoolSettings& settings = pool_.settings();
  return {settings.name,
          board_slot_,
          settings.routes,
          settings.concurrency,
          settings.queue,
          settings.rapid_fail.when_open,
          settings.health.request_timeout,
          pool_mode(pool_.availability())};
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
  return {pool_.settings().name, id, published.row, published.endpoint, !published.counted};
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

}  // namespace poolwarden::supervisor
