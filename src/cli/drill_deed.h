// What a drill does to its worker, and undoes when the drill is over.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/drill_kind.h"
#include "supervisor/pool_runner.h"

namespace poolwarden::cli {

struct DrillTask {
  Drill drill;
  std::string words;  // of the drill, as asked for: "exit=3"
  std::shared_ptr<supervisor::PoolRunner> runner;
  std::optional<std::uint32_t> slot;  // as asked for
  pool::WorkerName worker;            // as chosen when it begins
  TimePoint deadline{};
  bool despite_rapid_fail = false;
};

// Starts a process of ours that may wait for the kernel, with these words; see drill_hand.cpp.
// `ended` gets its complaint, which is empty when it has done what it was to do.
// Answers how to end it early.
using StartHand = std::function<Result<std::function<void()>>(
    std::vector<std::string> words, std::function<void(const std::string& complaint)> ended)>;

struct DrillTools {
  StartHand start_hand;
  // The cgroup that a worker's memory limit is set in; empty when there is none.
  std::function<std::string(const std::string& pool, const pool::WorkerName&)> memory_cgroup;
};

class DrillDeed {
 public:
  DrillDeed(boost::asio::io_context& io, worker::WorkerHost& host, const DrillTools& tools,
            const DrillTask& task)
      : io_(io), host_(host), tools_(tools), task_(task) {}

  // Returns when it is done; for what lasts, when it is over or nobody `goes_on` with it. Says why
  // it could not be done.
  boost::asio::awaitable<std::string> carry_out(std::function<bool()> goes_on);

  // A worker that stands still goes on.
  void undo();

 private:
  boost::asio::awaitable<std::string> use_hand(std::vector<std::string> words,
                                               std::function<bool()> goes_on);
  boost::asio::awaitable<void> slow_down(std::function<bool()> goes_on);

  boost::asio::io_context& io_;
  worker::WorkerHost& host_;
  const DrillTools& tools_;
  const DrillTask& task_;
};

}  // namespace poolwarden::cli
