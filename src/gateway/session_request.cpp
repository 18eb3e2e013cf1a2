// How a session has a request answered by a worker: queue, attempts, replay.

#include <poll.h>

#include "gateway/session.h"

namespace poolwarden::gateway {

void Session::take_ticket() {
  // A head that took its time to arrive has not waited for a worker.
  const bool dripped = request_.began < client_.now;
  request_.ticket = {dispatch::TicketId{++around_.last_ticket},
                     dripped ? Clock::now() : request_.began};
}

Task<bool> Session::have_answered(PoolGate& gate) {
  const PoolGate::Use use(gate);
  std::optional<dispatch::Admission> admission = gate.admit(request_.ticket, *this);
  for (;;) {
    if (std::holds_alternative<dispatch::Waits>(*admission)) {
      admission = co_await wait_in_queue(gate);
      if (!admission) {
        count_failure(gate.row(), End::ClientAborted);
        co_return co_await conclude(gate, End::ClientAborted);
      }
    }
    if (const auto* refused = std::get_if<dispatch::Refused>(&*admission)) {
      const bool stopped = refused->reason == dispatch::Reason::Stopped;
      PoolGate* successor = stopped ? find_successor(gate) : nullptr;
      if (successor != nullptr) co_return co_await have_answered(*successor);
      co_return co_await refuse(gate, *refused);
    }
    dispatch::Lease lease = std::get<dispatch::Lease>(std::move(*admission));
    End end = End::ClientAborted;
    if (client_.cut == Cut::None) end = co_await attempt(gate, lease);
    Upstream& upstream = gate.upstream(lease);
    const dispatch::Replay replay = replay_after(end, upstream.transport());
    if (is_lost(end)) gate.report_drain_broken(upstream);
    // What was never read is answered by another worker: nothing of it was cut.
    const bool ran = replay != dispatch::Replay::NeverRan;
    if ((is_lost(end) && ran) || end == End::TimedOut) {
      gate.note_cut(upstream,
                    cut_request(upstream.id(), request_.head, Clock::now() - request_.began));
    }
    if (end == End::ConnectFailed) {
      gate.unreachable(lease);
      request_.connect_failed = true;
    }
    if (replay == dispatch::Replay::No) {
      count_failure(gate.row(), end);
      if (is_lost(end)) gate.count_lost(upstream);
      if (end == End::TimedOut) gate.report_timeout(upstream);
      gate.give_back(std::move(lease), end == End::Answered);
      co_return co_await conclude(gate, end);
    }
    if (replay == dispatch::Replay::Idempotent) request_.may_have_run = true;
    if (end != End::ConnectFailed) {
      ++request_.replays;
      gate.row().retries.fetch_add(1, std::memory_order_relaxed);
    }
    admission = gate.put_back(request_.ticket, std::move(lease), *this);
  }
}

// The pool that has got the route of this one while the request was in its hands; null: none has.
PoolGate* Session::find_successor(const PoolGate& gate) const {
  RequestHead& head = around_.request_head;
  if (parse_request_head(request_.head, head)) return nullptr;
  PoolGate* found = around_.router.find(head.host, head.path);
  return found == &gate ? nullptr : found;
}

Task<dispatch::AttemptEnd> Session::attempt(PoolGate& gate, const dispatch::Lease& lease) {
  request_.dispatched = Clock::now();
  if (const auto limit = gate.request_timeout()) {
    request_deadline_ = request_.dispatched + *limit;
  }
  Forwarder forwarder({client_, gate, gate.upstream(lease), around_.response_head,
                       around_.sessions.last_call_made()},
                      request_);
  forwarder_ = &forwarder;
  const End end = co_await forwarder.run();
  forwarder_ = nullptr;
  request_deadline_ = TimePoint::max();
  co_return end;
}

// Nothing: the client has left.
Task<std::optional<dispatch::Admission>> Session::wait_in_queue(PoolGate& gate) {
  queued_in_ = &gate;
  if (!wake_) wake_.emplace(around_.io);
  wake_->expires_at(TimePoint::max());
  while (queued_in_ != nullptr) co_await wake_->async_wait(as_result);
  std::optional<dispatch::Admission> verdict = std::move(verdict_);
  verdict_.reset();
  co_return verdict;
}

void Session::wake() {
  queued_in_ = nullptr;
  if (wake_) wake_->cancel();
}

void Session::handed_over(dispatch::Lease lease) {
  verdict_ = std::move(lease);
  wake();
}

void Session::refused(const dispatch::Refused& refused) {
  verdict_ = refused;
  wake();
}

void Session::client_left() {
  client_.cut_off(Cut::ClientGone);
  verdict_.reset();
  wake();
}

bool Session::client_has_left() const {
  pollfd client{const_cast<Session*>(this)->client_socket(), POLLRDHUP, 0};
  return ::poll(&client, 1, 0) > 0 && client.revents != 0;
}

dispatch::Replay Session::replay_after(End end, dispatch::Transport transport) const {
  return dispatch::decide_replay({.end = end,
                                  .transport = transport,
                                  .has_body = request_.body.has_body(),
                                  .body_kept = request_.body_kept,
                                  .idempotent = request_.is_idempotent,
                                  .may_have_run = request_.may_have_run,
                                  .replays = request_.replays});
}

// The worker's end took the answer with it.
bool Session::is_lost(End end) const {
  return end == End::RefusedAtSend || end == End::ResetBeforeResponse ||
         end == End::EofBeforeResponse || end == End::NeverAccepted ||
         end == End::FailedMidResponse;
}

void Session::count_failure(link::PoolRow& row, End end) {
  if (client_.cut == Cut::Abandoned) return;  // the gateway's own end, counted as that
  const auto count = [&](dispatch::RequestFailure failure) {
    row.failures[static_cast<std::size_t>(failure)].fetch_add(1, std::memory_order_relaxed);
  };
  switch (end) {
    case End::Answered:
      break;
    case End::ConnectFailed:
      count(dispatch::RequestFailure::ConnectFailed);
      break;
    case End::RefusedAtSend:
    case End::ResetBeforeResponse:
    case End::EofBeforeResponse:
    case End::NeverAccepted:
    case End::FailedMidResponse:
      count(dispatch::RequestFailure::WorkerDied);
      break;
    case End::BadResponse:
      count(dispatch::RequestFailure::BadResponse);
      break;
    case End::TimedOut:
      count(dispatch::RequestFailure::ResponseTimeout);
      break;
    case End::ClientAborted:
    case End::ClientStalled:
      count(dispatch::RequestFailure::ClientAborted);
      break;
    case End::BadBody:
      count(dispatch::RequestFailure::HeaderInvalid);
      break;
  }
}

}  // namespace poolwarden::gateway
