// Requests of one pool that wait for a worker, oldest first.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace poolwarden::dispatch {

enum class TicketId : std::uint64_t {};  // never reused

struct Ticket {
  TicketId id{};
  TimePoint since;  // when the request came, however often it was put back
};

class RequestQueue {
 public:
  bool empty() const { return tickets_.empty(); }
  std::size_t size() const { return tickets_.size(); }
  const Ticket& front() const { return tickets_.front(); }

  void push_back(Ticket ticket) { tickets_.push_back(ticket); }

  // Back before all that came after it.
  void put_back(Ticket ticket);

  Ticket pop_front();
  bool remove(TicketId id);

  // Takes out those that came at or before `at`.
  std::vector<TicketId> take_older_than(TimePoint at);
  std::vector<TicketId> take_all();

 private:
  std::deque<Ticket> tickets_;
};

}  // namespace poolwarden::dispatch
