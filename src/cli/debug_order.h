// The order `debug`, the supervisor's end: tries the tool as the pool's user, has the next worker
// start under it, and follows that worker to its end.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/debug_loans.h"
#include "cli/debug_tool.h"
#include "control/control_server.h"
#include "journal/journal.h"
#include "loop/notifier.h"
#include "process/launch_plan.h"
#include "supervisor/pool_runner.h"

namespace poolwarden::cli {

struct DebugMeans {
  std::string instance;           // see instance_name()
  std::string runtime_directory;  // of the supervisor
  std::uint64_t available_memory = 0;
  // Starts a process of ours by this plan; `ended` gets its complaint, empty when there is none.
  // Answers how to end it early.
  std::function<Result<std::function<void()>>(
      process::LaunchPlan plan, std::function<void(const std::string& complaint)> ended)>
      start_hand;
};

class DebugOrder {
 public:
  // `changes`: of what snapshots show.
  DebugOrder(boost::asio::io_context& io, journal::Journal& journal, loop::Notifier& changes,
             DebugMeans means)
      : io_(io),
        journal_(journal),
        changes_(changes),
        means_(std::move(means)),
        loans_(means_.runtime_directory, [this](const DebugLoans::Room& room) { clear(room); }) {}

  struct Task {
    std::shared_ptr<supervisor::PoolRunner> runner;
    bool wait = false;
    TimePoint deadline{};
  };
  boost::asio::awaitable<void> carry_out(Task task, const boost::json::object& request,
                                         control::Conversation& client);

 private:
  struct Plan {
    DebugTool tool{};
    DebugPlace place;
    std::string program;  // that the worker is
    std::uint64_t loan = 0;
  };
  struct Course {  // of the worker that carries the order
    pool::DebugId id{};
    std::uint64_t first_event = 0;
    bool told_start = false, told_ready = false;
  };

  Result<Plan> prepare(const supervisor::PoolRunner& runner, const boost::json::object& request);
  // A complaint, empty when there is none.
  boost::asio::awaitable<std::string> lend(const supervisor::PoolRunner& runner,
                                           const boost::json::object& request, Plan& plan);
  void clear(const DebugLoans::Room& room);
  boost::asio::awaitable<std::string> try_tool(const supervisor::PoolRunner& runner,
                                               const Plan& plan);
  // The hand's complaint, or `too_late` when it has none after `limit`: it is killed then.
  boost::asio::awaitable<std::string> use_hand(process::LaunchPlan plan, Duration limit,
                                               std::string too_late);
  Result<process::LaunchPlan> trial_of(const supervisor::PoolRunner& runner,
                                       const Plan& plan) const;
  boost::asio::awaitable<void> begin(Task task, Plan plan, const boost::json::object& request,
                                     control::Conversation& client);
  boost::asio::awaitable<void> follow(Task task, Plan plan, Course course,
                                      control::Conversation& client);
  boost::asio::awaitable<bool> tell_progress(const Task& task, const Plan& plan, Course& course,
                                             control::Conversation& client);
  boost::asio::awaitable<void> call_off(Task task, control::Conversation& client);
  std::string outcome(const Course& course, worker::WorkerId worker) const;

  boost::asio::io_context& io_;
  journal::Journal& journal_;
  loop::Notifier& changes_;
  DebugMeans means_;
  DebugLoans loans_;
  std::shared_ptr<int> hanging_ =
      std::make_shared<int>(0);  // hands that were killed, and are there
};

}  // namespace poolwarden::cli
