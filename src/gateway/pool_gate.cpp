#include "gateway/pool_gate.h"

#include <cassert>
#include <utility>

#include "base/match.h"

namespace poolwarden::gateway {
namespace {

using dispatch::Refused;

constexpr Duration kTimeoutRepeat = std::chrono::seconds(1);

dispatch::QueueRules rules_of(const pool::Queue& queue) {
  dispatch::QueueRules rules{.limit = queue.limit, .timeout = queue.timeout, .restart_limit = {}};
  if (queue.restart_limit) rules.restart_limit = *queue.restart_limit;
  return rules;
}

void add(link::Cell& cell, std::uint64_t count = 1) {
  cell.fetch_add(count, std::memory_order_relaxed);
}
void take_one(link::Cell& cell) { cell.fetch_sub(1, std::memory_order_relaxed); }

}  // namespace

PoolGate::PoolGate(asio::io_context& io, const link::PoolAdded& pool, link::PoolRow& row, Tell tell)
    : timer_(io), name_(pool.pool), row_(row), tell_(std::move(tell)), dispatch_({}) {
  change_settings(pool);
  set_mode(pool.mode, std::nullopt);
}

void PoolGate::change_settings(const link::PoolAdded& pool) {
  when_open_ = pool.when_open;
  request_timeout_ = pool.request_timeout;
  client_check_ = pool.queue.client_check;
  concurrency_ = pool.concurrency;
  dispatch_.set_rules(rules_of(pool.queue));
  deliver(dispatch_.set_limit(concurrency_, Clock::now()));
  set_timer();
}

dispatch::Admission PoolGate::admit(dispatch::Ticket ticket, Waiter& waiter) {
  dispatch::Admission admission = dispatch_.admit(ticket.id, ticket.since);
  if (std::holds_alternative<dispatch::Waits>(admission)) add(row_.queue_enqueued);
  return settle(std::move(admission), ticket.id, waiter);
}

dispatch::Admission PoolGate::put_back(dispatch::Ticket ticket, dispatch::Lease lease,
                                       Waiter& waiter) {
  const dispatch::WorkerId worker = lease.worker();
  end_lease(worker);
  dispatch::Admission admission =
      settle(dispatch_.put_back(ticket, std::move(lease), Clock::now()), ticket.id, waiter);
  after_lease(worker);
  return admission;
}

dispatch::Admission PoolGate::settle(dispatch::Admission admission, dispatch::TicketId ticket,
                                     Waiter& waiter) {
  std::visit(Match{[&](const dispatch::Lease& lease) { begin_lease(lease.worker()); },
                   [&](const dispatch::Waits&) {
                     waiters_.emplace(ticket, &waiter);
                     queue_changed();
                   },
                   [](const Refused&) {}},  // counted where it is answered
             admission);
  return admission;
}

void PoolGate::abandon(dispatch::TicketId ticket) {
  if (waiters_.erase(ticket) == 0) return;
  dispatch_.abandon(ticket);
  publish_queue();
}

void PoolGate::give_back(dispatch::Lease lease, bool answered) {
  const dispatch::WorkerId worker = lease.worker();
  if (answered) add(upstream(lease).row().requests);
  end_lease(worker);
  if (dispatch_.queue().empty()) {
    dispatch_.release(std::move(lease), TimePoint());
  } else {
    deliver(dispatch_.release(std::move(lease), Clock::now()));
  }
  after_lease(worker);
}

void PoolGate::begin_lease(dispatch::WorkerId id) {
  add(row_.in_flight);
  Upstream& upstream = *upstreams_.at(id);
  ++upstream.leases;
  add(upstream.row().in_flight);
}

void PoolGate::end_lease(dispatch::WorkerId id) {
  take_one(row_.in_flight);
  Upstream& upstream = *upstreams_.at(id);
  --upstream.leases;
  take_one(upstream.row().in_flight);
}

// The last lease of a worker that is to stop, or has.
void PoolGate::after_lease(dispatch::WorkerId id) {
  const auto at = upstreams_.find(id);
  Upstream& upstream = *at->second;
  if (!upstream.mark && !upstream.gone_since) return;
  if (!dispatch_.is_drained(id)) return;
  upstream.close_idle();
  if (upstream.gone_since) {
    upstreams_.erase(at);
  } else if (!std::exchange(upstream.drain_reported, true)) {
    tell_(link::WorkerDrained{id, upstream.mark ? upstream.mark->number : 0});
  }
}

void PoolGate::deliver(dispatch::Handovers handovers) {
  if (handovers.empty()) return;
  for (std::size_t i = 0; i < handovers.size(); ++i) {
    dispatch::Handover handover = std::move(handovers[i]);
    Waiter* waiter = take_waiter(handover.ticket);
    assert(waiter != nullptr && "a request was handed over that does not wait");
    const bool check = client_check_ && handover.waited > *client_check_;
    if (check && waiter->client_has_left()) {
      waiter->client_left();
      for (dispatch::Handover& next : dispatch_.release(std::move(handover.lease), Clock::now())) {
        handovers.push_back(std::move(next));
      }
      continue;
    }
    row_.queue_wait_seconds.observe(std::chrono::duration<double>(handover.waited).count(),
                                    dispatch::kQueueWaitBuckets);
    begin_lease(handover.lease.worker());
    waiter->handed_over(std::move(handover.lease));
  }
  publish_queue();
}

Waiter* PoolGate::take_waiter(dispatch::TicketId ticket) {
  const auto at = waiters_.find(ticket);
  if (at == waiters_.end()) return nullptr;
  Waiter* waiter = at->second;
  waiters_.erase(at);
  return waiter;
}

void PoolGate::refuse_all(const std::vector<dispatch::TicketId>& tickets, const Refused& refused) {
  for (const dispatch::TicketId ticket : tickets) {
    if (Waiter* waiter = take_waiter(ticket)) waiter->refused(refused);
  }
  if (!tickets.empty()) publish_queue();
}

void PoolGate::reached(dispatch::WorkerId id) {
  deliver(dispatch_.worker_reached(id, Clock::now()));
}

void PoolGate::unreachable(const dispatch::Lease& lease) {
  dispatch_.worker_unreachable(lease.worker(), Clock::now());
}

void PoolGate::count_lost(const Upstream& upstream) {
  const auto cause = upstream.mark ? upstream.mark->cause : dispatch::LossCause::WorkerDied;
  add(row_.lost[static_cast<std::size_t>(cause)]);
}

void PoolGate::report_drain_broken(Upstream& upstream) {
  if (!upstream.mark || upstream.abandoned) return;
  if (!std::exchange(upstream.mark->break_reported, true)) tell_(link::DrainBroken{upstream.id()});
}

// At once: a client that does not take its 504 must not hold it up.
void PoolGate::report_timeout(Upstream& upstream) {
  // Again after a while: the supervisor may have let it pass, for a debugger was attached.
  const TimePoint now = Clock::now();
  if (now - upstream.timeout_reported < kTimeoutRepeat) return;
  upstream.timeout_reported = now;
  tell_(link::RequestTimedOut{upstream.id()});
}

void PoolGate::note_cut(Upstream& upstream, link::RequestCutShort cut) {
  upstream.cut_requests.note(std::move(cut), Clock::now(), tell_);
}

void PoolGate::begin_tunnel(Upstream& upstream) {
  ++upstream.tunnels;
  add(upstream.row().tunnels);
  add(row_.tunnels);
}

void PoolGate::end_tunnel(Upstream& upstream) {
  --upstream.tunnels;
  take_one(upstream.row().tunnels);
  take_one(row_.tunnels);
}

}  // namespace poolwarden::gateway
