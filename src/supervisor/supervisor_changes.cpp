// What commands change in a supervisor while it runs: how many workers, and the whole
// configuration.

#include "supervisor/supervisor.h"

namespace poolwarden::supervisor {

Result<void> Supervisor::scale(const std::string& pool, pool::WorkerCount wanted) {
  constexpr std::uint32_t kMostOfAPool = 1024;
  if (wanted.min > wanted.max || wanted.max > kMostOfAPool) {
    return failure("cannot scale pool " + pool +
                   ": expected a number, or the fewest and the most, from 1 to " +
                   std::to_string(kMostOfAPool));
  }
  std::uint64_t total = 0;
  for (const auto& runner : pools_.in_service()) {
    const auto shot = runner->snapshot(Clock::now(), WallClock::now());
    const std::uint64_t most = name_of(runner) == pool ? wanted.max : shot.workers_max;
    total += most + shot.settings->recycle.at_once;
  }
  if (total > link::kMaxWorkers) {
    return failure("cannot scale pool " + pool + ": there would be " + std::to_string(total) +
                   " workers in all, counting the most that each pool may have and its "
                   "recycle.at_once; at most " +
                   std::to_string(link::kMaxWorkers) + " can be kept track of");
  }
  return pools_.find(pool)->scale(wanted);
}

config::Comparison Supervisor::plan(const config::Settings& wanted) const {
  return config::compare_settings(settings_, wanted);
}

Result<void> Supervisor::may_reload(const config::Comparison& comparison) const {
  if (stopping_) return failure("cannot reload: poolwarden is stopping");
  return reload_.check(comparison);
}

Result<std::vector<PoolOutcome>> Supervisor::reload(const config::Settings& wanted) {
  const config::Comparison comparison = plan(wanted);
  if (auto allowed = may_reload(comparison); !allowed) return allowed.error();
  if (wanted.speaks_http() && !gateway_) {
    if (auto opened = open_gateway(); !opened) return opened.error();
  }
  settings_ = wanted;
  return reload_.carry_out(comparison, settings_);
}

// Until now no pool had routes: nobody listened.
Result<void> Supervisor::open_gateway() {
  auto sockets = open_listening_sockets(settings_.listen);
  if (!sockets) return sockets.error();
  sockets_ = std::move(*sockets);
  make_gateway();
  auto started = gateway_->start();
  if (started) return {};
  gateway_.reset();
  sockets_.clear();
  return started;
}

Standing Supervisor::standing(const PoolOutcome& outcome) const {
  return reload_.standing(outcome, Clock::now());
}

}  // namespace poolwarden::supervisor
