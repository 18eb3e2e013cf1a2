#include "process/worker_tree.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

#include "base/clock.h"

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;
constexpr auto kFirstPause = std::chrono::milliseconds(1);
constexpr auto kLongestPause = std::chrono::milliseconds(50);

}  // namespace

WorkerTree::WorkerTree(cgroup::Leaf leaf, TreeSigns signs)
    : leaf_(std::move(leaf)), signs_(std::move(signs)) {}

void WorkerTree::kill() const {
  if (leaf_.exists()) {
    (void)leaf_.kill();  // whether it worked is asked by is_gone()
    return;
  }
  if (signs_.root <= 0) return;
  for (const pid_t pid : find_tree(signs_)) ::kill(pid, SIGKILL);
}

bool WorkerTree::is_gone() const {
  if (leaf_.exists()) return !leaf_.populated();
  return signs_.root <= 0 || find_tree(signs_).empty();
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
