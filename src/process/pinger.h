// Health pings of one worker over HTTP, again and again, for as long as it serves.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "process/readiness.h"
#include "worker/usage.h"
#include "worker/worker_state.h"

namespace poolwarden::process {

struct PingPlan {
  std::string path;
  Duration interval{};  // from the end of one to the next
  Duration timeout{};   // of one
  std::function<void()> on_sent;
  std::function<void(const worker::PingAnswer&)> on_result;
  std::function<void(const HttpAnswer&)> on_answer = {};  // before on_result
};

class Pinger {
 public:
  Pinger(boost::asio::io_context& io, PingPlan plan);
  ~Pinger() { stop(); }
  Pinger(const Pinger&) = delete;
  Pinger& operator=(const Pinger&) = delete;

  // The first ping follows one interval later.
  void start(const worker::Endpoint& endpoint);
  // A ping on its way is given up, and nothing more is told. May be started again.
  void stop();

 private:
  struct Run;
  static boost::asio::awaitable<void> follow(std::shared_ptr<Run> run);

  boost::asio::io_context& io_;
  PingPlan plan_;
  std::shared_ptr<Run> run_;  // while started
};

}  // namespace poolwarden::process
