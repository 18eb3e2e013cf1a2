// All client connections that are open, and the one sweep over them that keeps every limit: a few
// times a second instead of a timer for each.

#pragma once

#include <poll.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "base/clock.h"

namespace poolwarden::gateway {

class Session;

class SessionTable {
 public:
  void add(Session& session);
  void remove(Session& session);
  bool empty() const { return sessions_.empty(); }
  std::size_t size() const { return sessions_.size(); }
  bool only_tunnels_left() const;

  // Called whenever the last session has gone.
  void when_empty(std::function<void()> told) { when_empty_ = std::move(told); }

  // As of the last sweep: exact enough for limits of seconds.
  const TimePoint& now() const { return now_; }
  const bool& quiescing() const { return quiescing_; }
  // No connection is kept for another request.
  const bool& last_call_made() const { return last_call_; }

  void sweep(TimePoint now);

  // From now on each answer says Connection: close.
  void last_call() { last_call_ = true; }
  // That, and connections without a request are closed.
  void quiesce();
  // All end at once, answered or not.
  void abandon_all();

 private:
  void find_clients_that_left();

  std::vector<Session*> sessions_;
  std::function<void()> when_empty_;
  TimePoint now_ = Clock::now();
  bool last_call_ = false;
  bool quiescing_ = false;
  std::vector<pollfd> polled_;
  std::vector<Session*> watched_;
};

}  // namespace poolwarden::gateway
