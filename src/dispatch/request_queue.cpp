#include "dispatch/request_queue.h"

#include <algorithm>

namespace poolwarden::dispatch {

void RequestQueue::put_back(Ticket ticket) {
  const auto place = std::find_if(tickets_.begin(), tickets_.end(),
                                  [&](const Ticket& other) { return other.since >= ticket.since; });
  tickets_.insert(place, ticket);
}

Ticket RequestQueue::pop_front() {
  const Ticket ticket = tickets_.front();
  tickets_.pop_front();
  return ticket;
}

bool RequestQueue::remove(TicketId id) {
  return std::erase_if(tickets_, [&](const Ticket& ticket) { return ticket.id == id; }) != 0;
}

std::vector<TicketId> RequestQueue::take_older_than(TimePoint at) {
  std::vector<TicketId> taken;
  while (!tickets_.empty() && tickets_.front().since <= at) taken.push_back(pop_front().id);
  return taken;
}

std::vector<TicketId> RequestQueue::take_all() {
  std::vector<TicketId> taken;
  while (!tickets_.empty()) taken.push_back(pop_front().id);
  return taken;
}

}  // namespace poolwarden::dispatch
