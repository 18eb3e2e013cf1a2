#include "process/turns.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"

namespace poolwarden::process {
namespace asio = boost::asio;

asio::awaitable<bool> Turns::begin() {
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  if (waiting_.size() >= most_waiting_) co_return false;
  const auto turn = std::make_shared<asio::steady_timer>(io_, TimePoint::max());
  waiting_.push_back(turn);
  co_await turn->async_wait(asio::as_tuple(asio::use_awaitable));
  co_return true;
}

// Handed straight to the next one: nobody comes in between.
void Turns::end() {
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  waiting_.front()->cancel();
  waiting_.pop_front();
}

}  // namespace poolwarden::process
