#include "gateway/session_table.h"

#include <algorithm>

#include "gateway/session.h"

namespace poolwarden::gateway {

void SessionTable::add(Session& session) {
  session.place = sessions_.size();
  sessions_.push_back(&session);
}

void SessionTable::remove(Session& session) {
  sessions_[session.place] = sessions_.back();
  sessions_[session.place]->place = session.place;
  sessions_.pop_back();
  if (sessions_.empty() && when_empty_) when_empty_();
}

bool SessionTable::only_tunnels_left() const {
  return std::all_of(sessions_.begin(), sessions_.end(),
                     [](const Session* session) { return session->is_tunnel(); });
}

void SessionTable::sweep(TimePoint now) {
  now_ = now;
  find_clients_that_left();
  for (Session* session : sessions_) session->sweep(now);
}

// One system call for all whose clients are expected to wait in silence. A client that has closed
// even its sending side only counts as gone.
void SessionTable::find_clients_that_left() {
  polled_.clear();
  watched_.clear();
  for (Session* session : sessions_) {
    if (!session->watches_client()) continue;
    polled_.push_back({session->client_socket(), POLLRDHUP, 0});
    watched_.push_back(session);
  }
  if (polled_.empty() || ::poll(polled_.data(), polled_.size(), 0) <= 0) return;
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    if (polled_[i].revents != 0) watched_[i]->cut(Cut::ClientGone);
  }
}

void SessionTable::quiesce() {
  last_call();
  quiescing_ = true;
  for (Session* session : sessions_) session->quiesce();
}

void SessionTable::abandon_all() {
  last_call();
  quiescing_ = true;
  for (Session* session : sessions_) session->cut(Cut::Abandoned);
}

}  // namespace poolwarden::gateway
