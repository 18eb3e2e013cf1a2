// Finds out how late the timers of a loop fire: a timer that does nothing but that.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "base/clock.h"

namespace poolwarden::loop {

class Heartbeat {
 public:
  // A stall of twice this is never missed.
  static constexpr Duration kEvery = std::chrono::milliseconds(250);

  Heartbeat(boost::asio::io_context& io, std::function<void(Duration late)> on_beat)
      : timer_(io), on_beat_(std::move(on_beat)) {}

  // Beats until the loop ends or this does.
  void start() {
    timer_.expires_after(kEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      on_beat_(Clock::now() - timer_.expiry());
      start();
    });
  }

 private:
  boost::asio::steady_timer timer_;
  std::function<void(Duration)> on_beat_;
};

}  // namespace poolwarden::loop
