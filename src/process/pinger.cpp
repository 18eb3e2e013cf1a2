#include "process/pinger.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace poolwarden::process {
namespace asio = boost::asio;

using worker::PingResult;

namespace {

// What failed is tried again soon: the worker may only have been busy.
constexpr std::chrono::seconds kSoon{1};

}  // namespace

struct Pinger::Run {
  Run(asio::io_context& io, PingPlan what, worker::Endpoint where)
      : plan(std::move(what)), endpoint(std::move(where)), timer(io) {}

  PingPlan plan;
  worker::Endpoint endpoint;
  asio::steady_timer timer;
  asio::cancellation_signal give_up;
  bool over = false;
};

Pinger::Pinger(asio::io_context& io, PingPlan plan) : io_(io), plan_(std::move(plan)) {}

void Pinger::start(const worker::Endpoint& endpoint) {
  stop();
  run_ = std::make_shared<Run>(io_, plan_, endpoint);
  asio::co_spawn(io_, follow(run_),
                 asio::bind_cancellation_slot(run_->give_up.slot(),
                                              [run = run_](const std::exception_ptr& error) {
                                                // Given up, it leaves by an exception.
                                                if (error && !run->over)
                                                  std::rethrow_exception(error);
                                              }));
}

void Pinger::stop() {
  const auto run = std::exchange(run_, nullptr);
  if (!run) return;
  run->over = true;
  // Passed on by way of the loop, where the coroutine may come to its end first.
  asio::dispatch(io_, [run] { run->give_up.emit(asio::cancellation_type::terminal); });
}

asio::awaitable<void> Pinger::follow(std::shared_ptr<Run> run) {
  Duration pause = run->plan.interval;
  while (!run->over) {
    run->timer.expires_after(pause);
    co_await run->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (run->over) co_return;
    if (run->plan.on_sent) run->plan.on_sent();
    const TimePoint sent = Clock::now();
    const HttpAnswer answer = co_await ask_http(run->endpoint, run->plan.path, run->plan.timeout);
    if (run->over) co_return;
    const PingResult result = answer.as_ping();
    if (run->plan.on_answer) run->plan.on_answer(answer);
    pause = result == PingResult::Answered ? run->plan.interval
                                           : std::min<Duration>(run->plan.interval, kSoon);
    if (run->plan.on_result) run->plan.on_result({result, Clock::now() - sent, answer.status});
  }
}

}  // namespace poolwarden::process
