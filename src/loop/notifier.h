// Wakes coroutines that wait for something to change. A waiter looks again for itself what has
// changed, so a wake-up too many does no harm.

#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "base/clock.h"

namespace poolwarden::loop {

class Notifier {
 public:
  explicit Notifier(boost::asio::io_context& io) : io_(io) {}

  // Returns at the next notify(), or at `deadline`.
  boost::asio::awaitable<void> wait_until(TimePoint deadline) {
    boost::asio::steady_timer timer(io_, deadline);
    waiting_.insert(&timer);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    waiting_.erase(&timer);
  }

  void notify() {
    for (boost::asio::steady_timer* timer : waiting_) timer->cancel();
  }

 private:
  boost::asio::io_context& io_;
  std::set<boost::asio::steady_timer*> waiting_;
};

}  // namespace poolwarden::loop
