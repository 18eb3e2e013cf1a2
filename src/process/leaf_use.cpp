#include "process/leaf_use.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace poolwarden::process {
namespace asio = boost::asio;

namespace {

constexpr int kRemovalTries = 20;
constexpr std::chrono::milliseconds kRemovalPause{2};

}  // namespace

void enter_leaf(LaunchPlan& plan, const cgroup::Entry& entry) {
  for (const loop::UniqueFd& file : entry.files) plan.cgroup_files.push_back(file.get());
  plan.unified_directory = entry.unified_directory.get();
  plan.unified_file = entry.unified_file.get();
}

asio::awaitable<void> remove_when_empty(cgroup::Leaf leaf) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (int tries = 0; leaf.exists() && tries < kRemovalTries; ++tries) {
    if (leaf.remove()) co_return;
    timer.expires_after(kRemovalPause);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

}  // namespace poolwarden::process
