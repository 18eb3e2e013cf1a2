// What the supervisor and time change in a pool: its mode, its workers, who has waited too long.

#include <algorithm>
#include <utility>

#include "gateway/pool_gate.h"

namespace poolwarden::gateway {
namespace {

constexpr Duration kDemandInterval = std::chrono::milliseconds(100);
constexpr Duration kDemandRepeat = std::chrono::seconds(1);
constexpr Duration kStaleCheck = std::chrono::seconds(2);

dispatch::Mode mode_of(link::PoolMode mode) {
  switch (mode) {
    case link::PoolMode::Open:
      return dispatch::Mode::Open;
    case link::PoolMode::Restarting:
      return dispatch::Mode::Restarting;
    case link::PoolMode::Stopped:
      return dispatch::Mode::Stopped;
    case link::PoolMode::RapidFail:
      return dispatch::Mode::RapidFail;
    case link::PoolMode::StartFailure:
      return dispatch::Mode::StartFailure;
  }
  return dispatch::Mode::Stopped;
}

std::uint64_t nanoseconds(TimePoint at) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count());
}

}  // namespace

void PoolGate::set_mode(link::PoolMode mode, std::optional<std::uint32_t> retry_after_seconds) {
  retry_after_seconds_ = retry_after_seconds;
  set_dispatch_mode(mode_of(mode));
  ask_for_worker();
}

void PoolGate::refuse_as_shutting_down() { set_dispatch_mode(dispatch::Mode::ShuttingDown); }

void PoolGate::set_dispatch_mode(dispatch::Mode mode) {
  const std::vector<dispatch::TicketId> tickets = dispatch_.set_mode(mode);
  if (const std::optional<dispatch::Refused> refused = dispatch_.refusal()) {
    refuse_all(tickets, *refused);
  }
}

void PoolGate::add_worker(const link::WorkerReady& worker, link::WorkerRow& row) {
  std::unique_ptr<Upstream>& upstream = upstreams_[worker.id];
  if (upstream == nullptr) {
    asio::io_context& io = timer_.get_executor().context();
    upstream = std::make_unique<Upstream>(io, worker.id, worker.endpoint, row);
  } else {
    upstream->come_back();
  }
  deliver(dispatch_.add_worker(worker.id, concurrency_, Clock::now()));
}

void PoolGate::drain(const link::DrainWorker& mark) {
  const auto at = upstreams_.find(mark.id);
  if (at == upstreams_.end()) return tell_(link::WorkerDrained{mark.id, mark.mark});
  Upstream& upstream = *at->second;
  dispatch_.drain_worker(mark.id);
  upstream.close_idle();
  const TimePoint since = upstream.mark ? upstream.mark->since : Clock::now();
  upstream.mark = DrainMark{mark.cause, since, mark.tunnel_limit, mark.mark};
  // It hangs: what it was cut for is why it leaves, however long that takes.
  if (mark.cause == dispatch::LossCause::WorkerDied)
    upstream.cut_requests.release(Clock::now(), tell_);
  after_lease(mark.id);
  ask_for_worker();
}

void PoolGate::remove(dispatch::WorkerId id) {
  const auto at = upstreams_.find(id);
  if (at == upstreams_.end()) return;
  Upstream& upstream = *at->second;
  dispatch_.remove_worker(id);
  upstream.close_idle();
  upstream.gone_since = Clock::now();
  upstream.cut_requests.release(*upstream.gone_since, tell_);
  if (dispatch_.is_drained(id)) upstreams_.erase(at);  // else when its last lease ends
  ask_for_worker();
}

void PoolGate::abandon_worker(dispatch::WorkerId id) {
  const auto at = upstreams_.find(id);
  if (at == upstreams_.end()) return;
  at->second->abandoned = true;
  at->second->mark = DrainMark{dispatch::LossCause::WorkerDied, Clock::now(), std::nullopt};
  remove(id);
}

void PoolGate::retire() {
  if (std::exchange(retired_, true)) return;
  set_dispatch_mode(dispatch::Mode::Stopped);
  timer_.cancel();
}

bool PoolGate::is_unused() const {
  return retired_ && users_ == 0 && timer_waits_ == 0 && upstreams_.empty();
}

void PoolGate::queue_changed() {
  publish_queue();
  set_timer();
  ask_for_worker();
}

void PoolGate::publish_queue() {
  const std::uint64_t length = dispatch_.queue().size();
  // By the difference: other gateways count in the same cell.
  row_.queue_length.fetch_add(length - published_length_, std::memory_order_relaxed);
  published_length_ = length;
  row_.oldest_waiting_since.store(length == 0 ? 0 : nanoseconds(dispatch_.queue().front().since),
                                  std::memory_order_relaxed);
}

void PoolGate::set_timer() {
  const std::optional<TimePoint> next = dispatch_.next_deadline();
  if (!next || (timer_at_ && *timer_at_ <= *next)) return;
  timer_at_ = next;
  timer_.expires_at(*next);
  ++timer_waits_;
  timer_.async_wait([this](error_code error) {
    --timer_waits_;
    if (error) return;
    timer_at_.reset();
    tick();
  });
}

void PoolGate::tick() {
  const TimePoint now = Clock::now();
  refuse_all(dispatch_.expire(now), {dispatch::Reason::QueueTimeout, dispatch::Rejection::Timeout});
  deliver(dispatch_.retry_unreachable(now));
  set_timer();
}

void PoolGate::ask_for_worker() {
  if (!dispatch_.needs_worker()) return;
  const TimePoint now = Clock::now();
  demand_due_ = now - last_demand_ < kDemandInterval;
  if (demand_due_) return;  // sweep() will
  last_demand_ = now;
  tell_(link::Demand{name_});
}

void PoolGate::sweep(TimePoint now) {
  const bool repeat = now - last_demand_ >= kDemandRepeat;
  if (demand_due_ || repeat) ask_for_worker();
  if (now - last_stale_check_ < kStaleCheck) return;
  last_stale_check_ = now;
  for (auto& [id, upstream] : upstreams_) upstream->close_stale(now);
}

void PoolGate::close() {
  timer_.cancel();
  for (auto& [id, upstream] : upstreams_) upstream->close_idle();
}

}  // namespace poolwarden::gateway
