#include "process/worker_tree.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <set>

#include "base/clock.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr int kPasses = 20;
constexpr auto kPatience = 5s;
constexpr auto kFirstPause = std::chrono::milliseconds(1);
constexpr auto kLongestPause = std::chrono::milliseconds(50);

}  // namespace

WorkerTree::WorkerTree(cgroup::Leaf leaf, TreeSigns signs)
    : leaf_(std::move(leaf)), signs_(std::move(signs)) {}

void WorkerTree::kill() const {
  if (leaf_.exists()) {
    seen_.add(leaf_.members());  // one that is ending leaves its cgroup before it has ended
    (void)leaf_.kill();          // whether it worked is asked by is_gone()
  }
  if (!may_be_elsewhere()) return;
  for (const pid_t pid : find_tree(signs_, seen_)) ::kill(pid, SIGKILL);
}

// When all in its cgroup have ended, whoever had left it has become our child.
bool WorkerTree::is_gone() const {
  if (!leaf_.exists()) return signs_.root <= 0 || find_tree(signs_, seen_).empty();
  if (leaf_.populated() || seen_.any_alive()) return false;
  return signs_.root <= 0 || !has_orphans(signs_, seen_);
}

bool WorkerTree::holds_root() const {
  const std::vector<pid_t> held = leaf_.members();
  return std::find(held.begin(), held.end(), signs_.root) != held.end();
}

bool WorkerTree::may_be_elsewhere() const {
  if (signs_.root <= 0) return false;
  if (!leaf_.exists()) return true;
  if (!signs_.reaped) return !holds_root();
  return seen_.any_alive() || has_orphans(signs_, seen_);
}

std::vector<pid_t> WorkerTree::members() const {
  std::vector<pid_t> held = leaf_.members();
  if (!may_be_elsewhere()) return held;
  const std::vector<pid_t> found = find_tree(signs_, seen_);
  std::set<pid_t> all(held.begin(), held.end());
  all.insert(found.begin(), found.end());
  return {all.begin(), all.end()};
}

Result<void> WorkerTree::freeze() {
  if (!may_be_elsewhere() && leaf_.freeze()) return {};
  stopped_by_signal_ = true;
  auto stopped = stop_all();
  if (!stopped) thaw();
  return stopped;
}

void WorkerTree::thaw() {
  if (leaf_.exists()) leaf_.thaw();
  if (!std::exchange(stopped_by_signal_, false)) return;
  for (const pid_t pid : members()) ::kill(pid, SIGCONT);
}

// Whoever forks meanwhile is found by the next pass.
Result<void> WorkerTree::stop_all() {
  std::set<pid_t> stopped;
  for (int pass = 0; pass < kPasses; ++pass) {
    const std::size_t before = stopped.size();
    for (const pid_t pid : members()) {
      if (!stopped.insert(pid).second) continue;
      if (::kill(pid, SIGSTOP) < 0 && errno != ESRCH)
        return errno_error(errno, "cannot stop process " + std::to_string(pid));
    }
    if (stopped.empty()) return failure("cannot stop a worker: it has no process");
    if (stopped.size() == before) return {};
  }
  return failure("cannot stop a worker: it forks faster than its processes can be stopped");
}

asio::awaitable<void> WorkerTree::settle(Duration limit) const {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const TimePoint end = Clock::now() + limit;
  for (auto pause = kFirstPause; !is_gone() && Clock::now() < end;
       pause = std::min(pause * 2, kLongestPause)) {
    timer.expires_after(pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<bool> WorkerTree::end() const {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const TimePoint limit = Clock::now() + kPatience;
  for (auto pause = kFirstPause; !is_gone(); pause = std::min(pause * 2, kLongestPause)) {
    if (Clock::now() >= limit) co_return false;
    kill();
    timer.expires_after(pause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return true;
}

}  // namespace poolwarden::process
