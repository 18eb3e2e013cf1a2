#include "supervisor/reload.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "loop/rethrow.h"

namespace poolwarden::supervisor {

namespace asio = boost::asio;
using config::Change;
using config::PoolChange;
using pool::EventKind;
using pool::PoolState;

namespace {

constexpr Duration kLook = std::chrono::milliseconds(50);
constexpr Duration kLongestQueueWait = std::chrono::minutes(2);
// Longer than any timer that a stopped runner may still have under way.
constexpr Duration kRest = std::chrono::seconds(10);

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

const pool::PoolSettings* find(const config::Settings& settings, const std::string& name) {
  const auto found =
      std::find_if(settings.pools.begin(), settings.pools.end(),
                   [&](const pool::PoolSettings& pool) { return pool.name == name; });
  return found == settings.pools.end() ? nullptr : &*found;
}

bool has_workers(const Pools::Runner& runner) {
  return !runner->snapshot(Clock::now(), WallClock::now()).workers.empty();
}

std::uint64_t waiting_requests(const link::Scoreboard& board, const Pools::Runner& runner) {
  const auto row = runner->snapshot(Clock::now(), WallClock::now()).board_slot;
  return link::load(board.pools[row].queue_length);
}

pool::Event event(EventKind kind, const std::string& pool, const std::string& sentence) {
  return {kind, pool, std::nullopt, sentence};
}

}  // namespace

std::string describe_live(const std::vector<std::string>& keys) {
  return "live change of " + list_of(keys);
}

std::string describe(const PoolChange& change) {
  const std::string keys = list_of(change.keys);
  switch (change.change) {
    case Change::Unchanged:
      return "unchanged";
    case Change::Live:
      return describe_live(change.keys);
    case Change::Recycle:
      return "recycle for " + keys;
    case Change::Restart:
      return "restart for " + keys;
    case Change::Add:
      return "added";
    case Change::Remove:
      return "removed";
  }
  return "unchanged";
}

Result<void> Reload::check(const config::Comparison& comparison) const {
  if (!comparison.fixed.empty()) {
    const bool one = comparison.fixed.size() == 1;
    return failure("cannot change " + list_of(comparison.fixed) +
                   " while poolwarden runs: " + (one ? "set it back" : "set them back") +
                   ", or restart poolwarden with the new file");
  }
  std::vector<std::string> names;
  for (const PoolChange& change : comparison.pools) {
    if (change.change != Change::Remove) names.push_back(change.pool);
    if (change.change == Change::Unchanged) continue;
    const Pools::Runner leaving = around_.pools.find_leaving(change.pool);
    if (!leaving) continue;
    const std::string holdup = leaving->pool().holdup(Clock::now());
    return failure("cannot change pool " + change.pool +
                   ", for what the last reload changed in it is still under way" +
                   (holdup.empty() ? "" : " (" + holdup + ")") + "; try again in a moment");
  }
  if (around_.pools.has_rows_for(names)) return {};
  return failure("cannot add so many pools: poolwarden has had pools of " +
                 std::to_string(link::kMaxPools) +
                 " different names since it started, and cannot keep track of more; restart it");
}

std::vector<PoolOutcome> Reload::carry_out(const config::Comparison& comparison,
                                           const config::Settings& wanted) {
  std::vector<PoolOutcome> outcomes;
  for (const PoolChange& change : comparison.pools)
    outcomes.push_back(apply(change, find(wanted, change.pool)));
  around_.pools.put_in_order_of(wanted.pools);
  around_.to_gateway(link::RoutesChanged{});
  for (const Pools::Runner& runner : std::exchange(just_taken_out_, {}))
    asio::co_spawn(around_.io, leave(runner), loop::rethrow);
  around_.changed();
  return outcomes;
}

PoolOutcome Reload::apply(const PoolChange& change, const pool::PoolSettings* settings) {
  PoolOutcome outcome{change, around_.pools.find(change.pool)};
  const auto tell = [&](EventKind kind) {
    around_.publish(event(kind, change.pool, describe(change) + " by a reload"));
  };
  switch (change.change) {
    case Change::Unchanged:
      break;
    case Change::Live:
    case Change::Recycle:
      tell(EventKind::PoolChanged);
      outcome.batch = outcome.runner->reconfigure(std::make_shared<pool::PoolSettings>(*settings),
                                                  change.change == Change::Recycle);
      break;
    case Change::Restart:
      tell(EventKind::PoolChanged);
      take_out(change.pool);
      outcome.runner = around_.pools.add(*settings);
      tell_gateway(outcome.runner->introduction());
      break;
    case Change::Add:
      tell(EventKind::PoolAdded);
      outcome.runner = around_.pools.add(*settings);
      begin(outcome.runner);
      break;
    case Change::Remove:
      take_out(change.pool);
      break;
  }
  return outcome;
}

void Reload::begin(const Pools::Runner& runner) {
  runner->begin();
  tell_gateway(runner->introduction());
}

void Reload::take_out(const std::string& name) {
  const Pools::Runner runner = around_.pools.take_out(name);
  tell_gateway(without_routes(runner->introduction()));
  just_taken_out_.push_back(runner);
}

void Reload::tell_gateway(const std::vector<link::ToGateway>& messages) {
  for (const link::ToGateway& message : messages) around_.to_gateway(message);
}

// At a shutdown it is ended as all the others are.
asio::awaitable<void> Reload::leave(Pools::Runner runner) {
  co_await wait_for_requests(runner);
  if (around_.is_stopping()) co_return;
  runner->stop_for_reload();
  const std::function<bool()> stopped = [runner] {
    return runner->pool().state() == PoolState::Stopped;
  };
  if (!co_await wait_until(stopped)) co_return;
  runner->kill_all();  // those that were kept for inspection: nobody could find them any more
  const std::function<bool()> gone = [runner] { return !has_workers(runner); };
  if (!co_await wait_until(gone)) co_return;
  has_left(runner);
  asio::steady_timer rest(around_.io, kRest);
  co_await rest.async_wait(asio::as_tuple(asio::use_awaitable));
}

// No request comes to it any more. A look may be older than the last one that came, so two in a row
// have to find nobody waiting.
asio::awaitable<void> Reload::wait_for_requests(Pools::Runner runner) {
  const pool::PoolSettings settings = runner->pool().settings();
  if (!settings.speaks_http()) co_return;
  const TimePoint latest = Clock::now() + settings.queue.timeout.value_or(kLongestQueueWait);
  asio::steady_timer pause(around_.io);
  for (int empty = 0; empty < 2 && Clock::now() < latest && !around_.is_stopping();) {
    pause.expires_after(kLook);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    empty = waiting_requests(around_.board, runner) == 0 ? empty + 1 : 0;
  }
}

// False when the supervisor stops meanwhile.
asio::awaitable<bool> Reload::wait_until(std::function<bool()> condition) {
  while (!condition()) {
    if (around_.is_stopping()) co_return false;
    co_await around_.changes.wait_until(Clock::now() + std::chrono::seconds(1));
  }
  co_return !around_.is_stopping();
}

void Reload::has_left(const Pools::Runner& runner) {
  const std::string name = name_of(runner);
  around_.pools.forget(runner);
  if (runner->pool().settings().speaks_http()) {
    around_.to_gateway(link::PoolRemoved{name});
    around_.to_gateway(link::RoutesChanged{});
  }
  const Pools::Runner successor = around_.pools.find(name);
  if (successor) {
    begin(successor);
    const bool speaks_http = successor->pool().settings().speaks_http();
    if (speaks_http && waiting_requests(around_.board, successor) > 0) successor->demand();
  } else {
    around_.publish(event(EventKind::PoolRemoved, name, "was removed by a reload"));
  }
  around_.changed();
}

}  // namespace poolwarden::supervisor
