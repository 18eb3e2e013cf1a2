// How the supervisor ends everything in order: requests first, then workers, then the gateway.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"
#include "supervisor/supervisor.h"

namespace poolwarden::supervisor {

namespace asio = boost::asio;
using pool::EventKind;

void Supervisor::shut_down(const std::string& because) {
  if (!stopping_) {
    stopping_ = true;
    seams_.host.hurry();
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
  for (const auto& runner : pools_.all()) {
    runner->shut_down();
    runner->kill_all();
  }
}

asio::awaitable<void> Supervisor::wind_down() {
  if (gateway_ && !killing_) co_await make_last_call();
  for (const auto& runner : pools_.all()) {
    if (!runner->pool().settings().speaks_http()) runner->shut_down();
  }
  if (gateway_ && !killing_) co_await wait_for_requests();
  for (const auto& runner : pools_.all()) runner->shut_down();
  pools_told_to_stop_ = true;
  changed();
}

// A gateway that dies meanwhile is started again and told the same.
asio::awaitable<void> Supervisor::make_last_call() {
  gateway_->send(link::LastCall{});
  // An essential pool that has failed is to be started again elsewhere, and soon.
  const bool waits = exit_code_ != kExitEssential;
  wait_.expires_after(waits ? settings_.shutdown.delay.value_or(Duration{}) : Duration{});
  while (!killing_ && Clock::now() < wait_.expiry()) {
    co_await wait_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// Until the gateway has answered every request that it has, or stop.drain is over.
asio::awaitable<void> Supervisor::wait_for_requests() {
  quiescing_ = true;
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
  for (const auto& runner : pools_.all()) {
    if (runner->pool().settings().speaks_http())
      longest = std::max(longest, runner->pool().settings().worker.stop.drain.value_or(kUnlimited));
  }
  return longest;
}

void Supervisor::end_if_all_stopped() {
  if (!pools_told_to_stop_ || !on_end_) return;
  const std::vector<Pools::Runner> all = pools_.all();
  const bool all_stopped = std::all_of(all.begin(), all.end(), [](const auto& runner) {
    return runner->pool().state() == pool::PoolState::Stopped && !runner->pool().has_workers();
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
