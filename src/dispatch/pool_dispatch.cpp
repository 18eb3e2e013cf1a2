#include "dispatch/pool_dispatch.h"

#include <algorithm>
#include <cassert>

namespace poolwarden::dispatch {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstRetry = 10ms;
constexpr Duration kLastRetry = 1s;

Duration retry_delay(unsigned misses) {
  const Duration delay = kFirstRetry * (1u << std::min(misses - 1, 10u));
  return std::min(delay, kLastRetry);
}

}  // namespace

Admission PoolDispatch::admit(TicketId ticket, TimePoint now) {
  if (const std::optional<Refused> refused = refusal()) return *refused;
  if (queue_.empty()) {
    if (Worker* worker = choose(now)) return lend(*worker, now);
  }
  if (const std::optional<Refused> refused = no_room()) return *refused;
  queue_.push_back({ticket, now});
  return Waits{};
}

Admission PoolDispatch::put_back(Ticket ticket, Lease lease, TimePoint now) {
  take_back(std::move(lease));
  if (const std::optional<Refused> refused = refusal()) return *refused;
  const bool is_oldest = queue_.empty() || ticket.since <= queue_.front().since;
  if (is_oldest) {
    if (Worker* worker = choose(now)) return lend(*worker, now);
  }
  queue_.put_back(ticket);
  return Waits{};
}

Handovers PoolDispatch::release(Lease lease, TimePoint now) {
  take_back(std::move(lease));
  return serve_queue(now);
}

Handovers PoolDispatch::add_worker(WorkerId id, std::uint32_t limit, TimePoint now) {
  Worker* known = find(id);
  Worker& worker = known != nullptr ? *known : workers_.emplace_back();
  const bool serves = known != nullptr && known->state == State::Serving;
  if (!serves) worker = {id, std::max(limit, 1u), worker.in_flight, State::Serving, 0, false, {}};
  return serve_queue(now);
}

Handovers PoolDispatch::set_limit(std::uint32_t limit, TimePoint now) {
  for (Worker& worker : workers_) worker.limit = std::max(limit, 1u);
  return serve_queue(now);
}

Handovers PoolDispatch::worker_reached(WorkerId id, TimePoint now) {
  Worker* worker = find(id);
  if (worker == nullptr || worker->misses == 0) return {};
  worker->misses = 0;
  worker->on_trial = false;
  return serve_queue(now);
}

Handovers PoolDispatch::retry_unreachable(TimePoint now) { return serve_queue(now); }

void PoolDispatch::worker_unreachable(WorkerId id, TimePoint now) {
  Worker* worker = find(id);
  if (worker == nullptr) return;
  // Requests that were under way together fail together: that is one miss.
  if (worker->misses != 0 && !worker->on_trial) return;
  ++worker->misses;
  worker->on_trial = false;
  worker->retry_at = now + retry_delay(worker->misses);
}

void PoolDispatch::drain_worker(WorkerId id) {
  Worker* worker = find(id);
  if (worker != nullptr && worker->state == State::Serving) worker->state = State::Draining;
}

void PoolDispatch::remove_worker(WorkerId id) {
  Worker* worker = find(id);
  if (worker == nullptr) return;
  worker->state = State::Gone;
  std::erase_if(workers_,
                [](const Worker& w) { return w.state == State::Gone && w.in_flight == 0; });
}

bool PoolDispatch::is_drained(WorkerId id) const {
  return std::none_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
    return worker.id == id && (worker.state == State::Serving || worker.in_flight != 0);
  });
}

std::vector<TicketId> PoolDispatch::expire(TimePoint now) {
  if (!rules_.timeout) return {};
  return queue_.take_older_than(now - *rules_.timeout);
}

std::vector<TicketId> PoolDispatch::set_mode(Mode mode) {
  mode_ = mode;
  return refusal() ? queue_.take_all() : std::vector<TicketId>{};
}

std::optional<Refused> PoolDispatch::refusal() const {
  switch (mode_) {
    case Mode::Open:
    case Mode::Restarting:
      return std::nullopt;
    case Mode::Stopped:
      return Refused{Reason::Stopped, Rejection::PoolStopped};
    case Mode::RapidFail:
      return Refused{Reason::RapidFail, Rejection::PoolDisabled};
    case Mode::StartFailure:
      return Refused{Reason::StartFailure, Rejection::PoolDisabled};
    case Mode::ShuttingDown:
      return Refused{Reason::ShuttingDown, Rejection::Shutdown};
  }
  return std::nullopt;
}

std::optional<Refused> PoolDispatch::no_room() const {
  if (mode_ == Mode::Restarting && rules_.restart_limit && queue_.size() >= *rules_.restart_limit) {
    return Refused{Reason::Restarting, Rejection::NoWorker};
  }
  if (rules_.limit != 0 && queue_.size() >= rules_.limit) {
    return Refused{Reason::QueueFull, Rejection::Full};
  }
  return std::nullopt;
}

std::optional<TimePoint> PoolDispatch::next_deadline() const {
  if (queue_.empty()) return std::nullopt;
  std::optional<TimePoint> next;
  if (rules_.timeout) next = queue_.front().since + *rules_.timeout;
  for (const Worker& worker : workers_) {
    const bool will_be_tried =
        worker.state == State::Serving && worker.misses != 0 && worker.in_flight < worker.limit;
    if (will_be_tried) next = next ? std::min(*next, worker.retry_at) : worker.retry_at;
  }
  return next;
}

bool PoolDispatch::needs_worker() const { return !queue_.empty() && !has_serving_worker(); }

bool PoolDispatch::has_serving_worker() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const Worker& worker) { return worker.state == State::Serving; });
}

PoolDispatch::Worker* PoolDispatch::find(WorkerId id) {
  const auto at = std::find_if(workers_.begin(), workers_.end(),
                               [&](const Worker& worker) { return worker.id == id; });
  return at == workers_.end() ? nullptr : &*at;
}

bool PoolDispatch::can_take(const Worker& worker, TimePoint now) {
  if (worker.state != State::Serving || worker.in_flight >= worker.limit) return false;
  return worker.misses == 0 || now >= worker.retry_at;
}

PoolDispatch::Worker* PoolDispatch::choose(TimePoint now) {
  Worker* best = nullptr;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[(first_choice_ + i) % workers_.size()];
    if (!can_take(worker, now)) continue;
    if (best == nullptr || worker.in_flight < best->in_flight) best = &worker;
  }
  return best;
}

Lease PoolDispatch::lend(Worker& worker, TimePoint now) {
  assert(worker.state == State::Serving && "handed over after the drain mark");
  if (worker.misses != 0) {
    worker.on_trial = true;
    worker.retry_at = now + retry_delay(worker.misses);  // should nothing come of this one
  }
  ++worker.in_flight;
  first_choice_ = static_cast<std::size_t>(&worker - workers_.data()) + 1;
  return Lease(worker.id);
}

void PoolDispatch::take_back(Lease lease) {
  assert(lease && "no lease to give back");
  lease.held_ = false;
  Worker* worker = find(lease.worker());
  assert(worker != nullptr && worker->in_flight > 0 && "a lease ended twice");
  --worker->in_flight;
  if (worker->state == State::Gone && worker->in_flight == 0) remove_worker(worker->id);
}

Handovers PoolDispatch::serve_queue(TimePoint now) {
  Handovers handovers;
  while (!queue_.empty()) {
    Worker* worker = choose(now);
    if (worker == nullptr) break;
    const Ticket ticket = queue_.pop_front();
    handovers.push_back({ticket.id, lend(*worker, now), now - ticket.since});
  }
  return handovers;
}

}  // namespace poolwarden::dispatch
