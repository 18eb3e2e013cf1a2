#include "cli/orders.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <deque>

#include "base/units.h"
#include "cli/commands.h"
#include "journal/log_line.h"

namespace poolwarden::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using control::Conversation;
using pool::PoolState;

std::string text(const json::object& request, const char* key) {
  const json::value* value = request.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag(const json::object& request, const char* key) {
  const json::value* value = request.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

std::optional<std::int64_t> number(const json::object& request, const char* key) {
  const json::value* value = request.if_contains(key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return static_cast<std::int64_t>(value->get_uint64());
  return std::nullopt;
}

// Lines before the last. Made apart from the sending: g++ 12 cannot hold an initializer list
// across a co_await.
json::object line(const char* key, json::value value) {
  json::object made;
  made[key] = std::move(value);
  return made;
}

std::string timed_out(const pool::Pool& pool) {
  const std::string holdup = pool.holdup(Clock::now());
  return "timed out" + (holdup.empty() ? std::string() : ": " + holdup);
}

constexpr std::size_t kUnsentEvents = 1000;

}  // namespace

Result<Orders::PoolOrder> Orders::pool_order(const json::object& request) const {
  const std::string name = text(request, "pool");
  supervisor::PoolRunner* runner = supervisor_.find(name);
  if (!runner) {
    const auto near = nearest(name, supervisor_.pool_names());
    return failure("there is no pool \"" + name + "\"" +
                   (near ? "; did you mean \"" + *near + "\"?" : ""));
  }
  if (supervisor_.is_stopping()) return failure("the supervisor is stopping");
  constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
  const std::int64_t limit =
      std::clamp<std::int64_t>(number(request, "timeout_ms").value_or(kDay), 0, kDay);
  return PoolOrder{runner, flag(request, "wait"), Clock::now() + std::chrono::milliseconds(limit)};
}

asio::awaitable<void> Orders::carry_out(const json::object& request, Conversation& client) {
  const std::string command = text(request, "command");
  if (command == "status") {
    co_await client.finish(kDone, "", status_());
  } else if (command == "events") {
    co_await events(request, client);
  } else if (command == "start" || command == "stop" || command == "recycle") {
    const auto order = pool_order(request);
    if (!order) {
      co_await client.finish(kFailed, order.error().message);
    } else if (command == "start") {
      co_await start(*order, client);
    } else if (command == "stop") {
      co_await stop(*order, client);
    } else {
      co_await recycle(*order, request, client);
    }
  } else {
    co_await client.finish(kWrongUsage, "this supervisor does not know the command \"" + command +
                                            "\"; is it of another version?");
  }
}

asio::awaitable<void> Orders::start(PoolOrder order, Conversation& client) {
  order.runner->start();
  const pool::Pool& pool = order.runner->pool();
  const std::string name = "pool " + pool.settings().name;
  const auto is_up = [&] { return pool.state() == PoolState::Running && pool.is_complete(); };
  while (order.wait && !is_up() && !pool.disabled()) {
    if (Clock::now() >= order.deadline) {
      co_await client.finish(kTimedOut, name + " is not running yet, " + timed_out(pool));
      co_return;
    }
    co_await changes_.wait_until(order.deadline);
    if (client.has_left()) co_return;
  }
  if (pool.disabled()) {
    co_await client.finish(kFailed, name + " did not start: " + pool.disabled_because());
  } else {
    co_await client.finish(kDone, name + " is " + std::string(pool::name(pool.state())));
  }
}

asio::awaitable<void> Orders::stop(PoolOrder order, Conversation& client) {
  order.runner->stop();
  const pool::Pool& pool = order.runner->pool();
  const std::string name = "pool " + pool.settings().name;
  while (order.wait && pool.state() != PoolState::Stopped) {
    if (Clock::now() >= order.deadline) {
      co_await client.finish(kTimedOut, name + " has not stopped yet, " + timed_out(pool));
      co_return;
    }
    if (pool.state() != PoolState::Stopping) {
      co_await client.finish(kFailed, name + " was started again meanwhile");
      co_return;
    }
    co_await changes_.wait_until(order.deadline);
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
  } else if (!order.wait) {
    co_await client.finish(kDone,
                           "pool " + order.runner->pool().settings().name + " is being recycled");
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
    if (Clock::now() >= order.deadline) {
      co_await client.finish(kTimedOut, count + ", " + timed_out(pool));
      co_return;
    }
    if (now->done != told) {
      told = now->done;
      if (!co_await client.send(line("progress", json::value(count)))) co_return;
    }
    co_await changes_.wait_until(order.deadline);
    if (client.has_left()) co_return;
  }
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
      if (!co_await client.send(line("event", journal::as_json(entry)))) co_return;
    }
    if (!follow) break;
    co_await arrived.wait_until(Clock::now() + std::chrono::seconds(30));
    if (unsent.empty() && !co_await client.send(line("alive", true))) co_return;
  }
  co_await client.finish(kDone, "");
}

}  // namespace poolwarden::cli
