#include "cli/orders.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <deque>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/request_fields.h"
#include "cli/why_order.h"
#include "journal/log_line.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using control::Conversation;
using pool::PoolState;

std::string timed_out(const pool::Pool& pool) {
  const std::string holdup = pool.holdup(Clock::now());
  return "timed out" + (holdup.empty() ? std::string() : ": " + holdup);
}

std::uint32_t worker_count(const json::object& request, const char* key) {
  constexpr std::int64_t kMost = 1'000'000;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(number(request, key).value_or(0), 0, kMost));
}

std::string describe(pool::WorkerCount count) {
  const std::string most = std::to_string(count.max) + (count.max == 1 ? " worker" : " workers");
  return count.min == count.max ? most : std::to_string(count.min) + " to " + most;
}

bool is_up(const pool::Pool& pool) {
  return pool.state() == PoolState::Running && pool.is_complete();
}

// Workers that a smaller number leaves over; one that is kept for inspection stays.
bool has_surplus(const pool::Pool& pool) {
  const pool::PoolSnapshot shot = pool.snapshot(Clock::now(), WallClock::now());
  const auto there =
      std::count_if(shot.workers.begin(), shot.workers.end(),
                    [](const auto& worker) { return worker.state != pool::WorkerState::Orphaned; });
  return there > static_cast<std::ptrdiff_t>(shot.workers_max);
}

constexpr std::size_t kUnsentEvents = 1000;
constexpr const char* kTakenOut = " was changed or removed by a reload meanwhile";

}  // namespace

json::object line_of(const char* key, json::value value) {
  json::object made;
  made[key] = std::move(value);
  return made;
}

Orders::Patience Orders::patience(const json::object& request) {
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
  const std::int64_t limit =
      std::clamp<std::int64_t>(number(request, "timeout_ms").value_or(kDay), 0, kDay);
  return {flag(request, "wait"), Clock::now() + std::chrono::milliseconds(limit)};
}

Result<Orders::PoolOrder> Orders::pool_order(const json::object& request) const {
  const std::string name = text(request, "pool");
  auto runner = supervisor_.find(name);
  if (!runner) {
    const auto near = nearest(name, supervisor_.pool_names());
    return failure("there is no pool \"" + name + "\"" +
                   (near ? "; did you mean \"" + *near + "\"?" : ""));
  }
  if (supervisor_.is_stopping()) return failure("the supervisor is stopping");
  if (supervisor_.is_restarting(name))
    return failure("pool " + name + " is being restarted by a reload; try again in a moment");
  return PoolOrder{std::move(runner), patience(request)};
}

std::string Orders::name_of(const PoolOrder& order) {
  return "pool " + order.runner->pool().settings().name;
}

bool Orders::is_in_service(const PoolOrder& order) const {
  return supervisor_.find(order.runner->pool().settings().name) == order.runner;
}

asio::awaitable<void> Orders::carry_out(const json::object& request, Conversation& client) {
  const std::string command = text(request, "command");
  if (command == "status") {
    co_await client.finish(kDone, "", status_());
  } else if (command == "healthcheck") {
    co_await healthcheck(request, client);
  } else if (command == "metrics") {
    const std::string text = co_await metrics_();
    co_await client.finish(kDone, "", line_of("text", json::value(text)));
  } else if (command == "events") {
    co_await events(request, client);
  } else if (command == "why") {
    const auto answer = why(request, supervisor_.pool_names(), deaths_);
    if (answer) {
      co_await client.finish(kDone, "", *answer);
    } else {
      co_await client.finish(kFailed, answer.error().message);
    }
  } else if (command == "plan") {
    co_await plan(request, client);
  } else if (command == "reload") {
    co_await reload(request, client);
  } else if (command == "drill") {
    co_await drill_.carry_out(request, client);
  } else if (command == "start" || command == "stop" || command == "recycle" ||
             command == "scale" || command == "debug") {
    co_await carry_out_pool_order(command, request, client);
  } else {
    co_await client.finish(kWrongUsage, "this supervisor does not know the command \"" + command +
                                            "\"; is it of another version?");
  }
}

asio::awaitable<void> Orders::carry_out_pool_order(const std::string& command,
                                                   const json::object& request,
                                                   Conversation& client) {
  const auto order = pool_order(request);
  if (!order) {
    co_await client.finish(kFailed, order.error().message);
  } else if (command == "start") {
    co_await start(*order, client);
  } else if (command == "stop") {
    co_await stop(*order, client);
  } else if (command == "scale") {
    co_await scale(*order, request, client);
  } else if (command == "debug") {
    DebugOrder::Task task{order->runner, order->patience.wait, order->patience.deadline};
    co_await debug_.carry_out(std::move(task), request, client);
  } else {
    co_await recycle(*order, request, client);
  }
}

asio::awaitable<void> Orders::start(PoolOrder order, Conversation& client) {
  order.runner->start();
  const std::string done = name_of(order) + " is running";
  co_await follow_start(order, done, client);
}

asio::awaitable<void> Orders::scale(PoolOrder order, const json::object& request,
                                    Conversation& client) {
  const pool::WorkerCount wanted{worker_count(request, "min"), worker_count(request, "max")};
  const pool::Pool& pool = order.runner->pool();
  if (const auto scaled = supervisor_.scale(pool.settings().name, wanted); !scaled) {
    co_await client.finish(kFailed, scaled.error().message);
    co_return;
  }
  const std::string done = name_of(order) + " has " + describe(wanted);
  const bool sleeps = pool.snapshot(Clock::now(), WallClock::now()).workers_desired == 0;
  if (pool.disabled()) {
    co_await client.finish(kDone, done + " when it starts again");
  } else if (sleeps) {
    co_await client.finish(kDone, done + " from its next request on");
  } else {
    co_await follow_start(order, done, client);
  }
}

asio::awaitable<void> Orders::follow_start(PoolOrder order, std::string done,
                                           Conversation& client) {
  const pool::Pool& pool = order.runner->pool();
  const auto is_done = [&] { return is_up(pool) && !has_surplus(pool); };
  while (order.patience.wait && !is_done() && !pool.disabled()) {
    if (Clock::now() >= order.patience.deadline) {
      co_await client.finish(kTimedOut, name_of(order) + " is not running yet, " + timed_out(pool));
      co_return;
    }
    co_await changes_.wait_until(order.patience.deadline);
    if (client.has_left()) co_return;
    if (!is_in_service(order)) {
      co_await client.finish(kFailed, name_of(order) + kTakenOut);
      co_return;
    }
  }
  if (pool.disabled()) {
    co_await client.finish(kFailed, name_of(order) + " did not start: " + pool.disabled_because());
  } else if (is_up(pool)) {
    co_await client.finish(kDone, done);
  } else {
    co_await client.finish(kDone, name_of(order) + " is " + std::string(pool::name(pool.state())));
  }
}

asio::awaitable<void> Orders::stop(PoolOrder order, Conversation& client) {
  order.runner->stop();
  const pool::Pool& pool = order.runner->pool();
  const std::string name = name_of(order);
  while (order.patience.wait && pool.state() != PoolState::Stopped) {
    if (Clock::now() >= order.patience.deadline) {
      co_await client.finish(kTimedOut, name + " has not stopped yet, " + timed_out(pool));
      co_return;
    }
    if (pool.state() != PoolState::Stopping) {
      co_await client.finish(kFailed, name + " was started again meanwhile");
      co_return;
    }
    co_await changes_.wait_until(order.patience.deadline);
    if (client.has_left()) co_return;
  }
  co_await client.finish(kDone, name + " is " + std::string(pool::name(pool.state())));
}

asio::awaitable<void> Orders::recycle(PoolOrder order, const json::object& request,
                                      Conversation& client) {
  std::optional<std::uint32_t> slot;
  if (const auto wanted = number(request, "worker")) slot = static_cast<std::uint32_t>(*wanted);
  const auto batch = order.runner->recycle(slot, pool::RecycleReason::Manual);
  if (!batch) {
    co_await client.finish(kFailed, "cannot recycle: " + batch.error().message);
  } else if (!order.patience.wait) {
    co_await client.finish(kDone, name_of(order) + " is being recycled");
  } else {
    co_await follow_recycle(order, *batch, client);
  }
}

asio::awaitable<void> Orders::follow_recycle(PoolOrder order, pool::BatchId batch,
                                             Conversation& client) {
  const pool::Pool& pool = order.runner->pool();
  std::uint32_t told = 0;
  for (;;) {
    const auto now = pool.progress(batch);
    if (!now) {
      co_await client.finish(kFailed, "the outcome was forgotten: too many others came after it");
      co_return;
    }
    const std::string count =
        std::to_string(now->done) + " of " + std::to_string(now->total) + " workers recycled";
    if (now->finished()) {
      // Not within the co_await: g++ 12 destroys the temporaries of a conditional there twice.
      const bool well = now->failed == 0;
      const std::string outcome = well ? count : count + "; " + now->last_failure;
      co_await client.finish(well ? kDone : kFailed, outcome);
      co_return;
    }
    if (Clock::now() >= order.patience.deadline) {
      co_await client.finish(kTimedOut, count + ", " + timed_out(pool));
      co_return;
    }
    if (now->done != told) {
      told = now->done;
      if (!co_await client.send(line_of("progress", json::value(count)))) co_return;
    }
    co_await changes_.wait_until(order.patience.deadline);
    if (client.has_left()) co_return;
  }
}

asio::awaitable<void> Orders::healthcheck(const json::object& request, Conversation& client) {
  const std::string why = flag(request, "live") ? "" : why_not_ready(*supervisor_.snapshot());
  const int exit_code = why.empty() ? kDone : kFailed;
  const std::string answer = flag(request, "live") ? "alive" : "ready";
  co_await client.finish(exit_code, why.empty() ? answer : why);
}

asio::awaitable<void> Orders::events(const json::object& request, Conversation& client) {
  const std::string pool = text(request, "pool");
  const auto wanted = [&](const journal::Entry& entry) {
    return pool.empty() || entry.event.pool == pool;
  };
  std::deque<journal::Entry> unsent;
  for (const journal::Entry& entry : journal_.recent()) {
    if (wanted(entry)) unsent.push_back(entry);
  }
  const bool follow = flag(request, "follow");
  loop::Notifier arrived(io_);
  journal::Subscription subscription;
  if (follow) {
    subscription = journal_.follow([&](const journal::Entry& entry) {
      if (!wanted(entry)) return;
      if (unsent.size() >= kUnsentEvents) unsent.pop_front();  // a client that does not read
      unsent.push_back(entry);
      arrived.notify();
    });
  }
  for (;;) {
    while (!unsent.empty()) {
      const journal::Entry entry = std::move(unsent.front());
      unsent.pop_front();
      if (!co_await client.send(line_of("event", journal::as_json(entry)))) co_return;
    }
    if (!follow) break;
    co_await arrived.wait_until(Clock::now() + std::chrono::seconds(30));
    if (unsent.empty() && !co_await client.send(line_of("alive", true))) co_return;
  }
  co_await client.finish(kDone, "");
}

}  // namespace poolwarden::cli
