// The order `drill`, the supervisor's end: does a failure to one worker, waits until another one
// serves in its place, and tells what came of it. With "look" it only tells what the command has
// to know before it begins, and how many requests have been lost so far.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>

#include "cli/drill_deed.h"
#include "control/control_server.h"
#include "journal/journal.h"
#include "loop/notifier.h"
#include "supervisor/supervisor.h"

namespace poolwarden::cli {

class DrillOrder {
 public:
  // `changes`: of what snapshots show.
  DrillOrder(boost::asio::io_context& io, supervisor::Supervisor& supervisor,
             worker::WorkerHost& host, journal::Journal& journal, loop::Notifier& changes,
             DrillTools tools)
      : io_(io),
        supervisor_(supervisor),
        host_(host),
        journal_(journal),
        changes_(changes),
        tools_(std::move(tools)) {}

  boost::asio::awaitable<void> carry_out(const boost::json::object& request,
                                         control::Conversation& client);

 private:
  struct Course {  // of one drill
    TimePoint begun{};
    std::uint64_t first_event = 0;
    std::optional<TimePoint> noticed;   // the worker takes no more requests
    std::optional<TimePoint> replaced;  // as many serve as are wanted
    bool gone = false;                  // the worker has ended, or is kept aside
    std::string failure;
  };

  Result<DrillTask> read(const boost::json::object& request) const;
  Result<void> may_begin(const DrillTask& task) const;
  bool trips_rapid_fail(const DrillTask& task) const;
  boost::json::object look(const DrillTask& task) const;

  boost::asio::awaitable<void> perform(DrillTask task, control::Conversation& client);
  boost::asio::awaitable<void> follow(const DrillTask& task, Course& course,
                                      control::Conversation& client);
  void observe(const DrillTask& task, Course& course) const;
  std::string broken_off(const DrillTask& task) const;
  boost::json::object report(const DrillTask& task, const Course& course) const;

  boost::asio::io_context& io_;
  supervisor::Supervisor& supervisor_;
  worker::WorkerHost& host_;
  journal::Journal& journal_;
  loop::Notifier& changes_;
  DrillTools tools_;
  std::set<std::string> drilled_;  // pools: two drills would undo each other
};

}  // namespace poolwarden::cli
