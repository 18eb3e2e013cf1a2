#include "pool/pool.h"

#include <algorithm>

#include "base/units.h"
#include "pool/log_policy.h"

namespace poolwarden::pool {

using diagnosis::Intent;

Pool::Pool(std::shared_ptr<const PoolSettings> settings, PoolSurroundings around)
    : settings_(std::move(settings)),
      around_(std::move(around)),
      rapid_fail_(settings_->rapid_fail),
      schedule_(settings_->recycle.at, around_.offset),
      garden_(1, 1, 1, Duration()) {
  take_count(settings_->workers);
  told_ = availability();
}

Decision Pool::begin(TimePoint now) {
  Decision decision;
  has_begun_ = true;
  last_change_ = now;
  disabled_.reset();
  disabled_because_.clear();
  if (settings_->start == StartMode::Manual) {
    disabled_ = DisabledReason::Admin;
    disabled_because_ = "start: manual, and nobody has started it yet";
    settle(now, decision);
    return decision;
  }
  run(StartReason::Initial, now, decision);
  return decision;
}

Decision Pool::start(TimePoint now) {
  Decision decision;
  if (is_wanted()) return decision;
  if (disabled_ && *disabled_ != DisabledReason::Admin)
    tell(EventKind::PoolEnabled, nullptr, "was started again by an administrator", decision);
  disabled_.reset();
  disabled_because_.clear();
  rapid_fail_.reset();
  crashed_ = false;
  for (Slot& slot : slots_) slot.failures_in_a_row = 0;
  run(StartReason::Manual, now, decision);
  return decision;
}

Decision Pool::stop(TimePoint now) {
  Decision decision;
  if (disabled_ != DisabledReason::Admin) {
    disabled_ = DisabledReason::Admin;
    disabled_because_ = "stopped by an administrator";
    stop_all(Intent::PoolStop, now, decision);
  }
  settle(now, decision);
  return decision;
}

Decision Pool::stop_for_reload(TimePoint now) {
  Decision decision;
  disabled_ = DisabledReason::Config;
  disabled_because_ = "the configuration that is being taken over changes or removes it";
  stop_all(Intent::Reload, now, decision);
  settle(now, decision);
  return decision;
}

Decision Pool::shut_down(TimePoint now) {
  Decision decision;
  stop_all(Intent::Shutdown, now, decision);
  settle(now, decision);
  return decision;
}

Decision Pool::kill_all(TimePoint now) {
  Decision decision;
  for (auto& [id, worker] : workers_) kill(worker, now, decision);
  settle(now, decision);
  return decision;
}

Decision Pool::demand(TimePoint now) {
  Decision decision;
  if (!is_wanted()) return decision;
  if (!resume_one(now, decision) && desired() == 0) {
    want(std::max(min_, 1u));
    fill(StartReason::Demand, now, decision);
  }
  settle(now, decision);
  return decision;
}

void Pool::run(StartReason reason, TimePoint now, Decision& decision) {
  for (Slot& slot : slots_) slot.wanted = false;
  schedule_ =
      RecycleSchedule(settings_->recycle.at, around_.offset);  // what it slept through is over
  enter(PoolState::Starting, now, decision);
  if (settings_->start != StartMode::OnDemand) {
    want(min_);
    fill(reason, now, decision);
  }
  settle(now, decision);
}

void Pool::stop_all(Intent why, TimePoint now, Decision& decision) {
  cancel_recycling("its pool is being stopped");
  crashed_ = false;
  for (Slot& slot : slots_) slot.respawn_at.reset();
  if (state_ != PoolState::Stopped) enter(PoolState::Stopping, now, decision);
  for (auto& [id, worker] : workers_) leave(worker, why, now, decision);
}

// Its workers are to run, and are replaced. Never so while it is disabled.
bool Pool::is_wanted() const {
  return state_ == PoolState::Starting || state_ == PoolState::Running;
}

// Brings the pool's own state, and what the gateway knows of it, in line with its workers.
void Pool::settle(TimePoint now, Decision& decision) {
  if (state_ == PoolState::Stopping) {
    const bool all_gone = std::all_of(workers_.begin(), workers_.end(),
                                      [](const auto& entry) { return entry.second.kept_aside; });
    if (all_gone) enter(PoolState::Stopped, now, decision);
  } else if (state_ != PoolState::Stopped) {
    const bool serves = any(WorkerState::Serving) || any(WorkerState::Suspending) ||
                        any(WorkerState::Suspended) || desired() == 0;
    // A worker that drains still answers what it has; its successor is on the way.
    const bool was_up = state_ == PoolState::Running && any(WorkerState::Draining);
    if (serves) {
      enter(PoolState::Running, now, decision);
    } else if (!was_up) {
      enter(PoolState::Starting, now, decision);
    }
  }
  if (availability() != told_) {
    told_ = availability();
    decision.actions.push_back(SetAvailability{told_});
  }
}

void Pool::enter(PoolState state, TimePoint now, Decision& decision) {
  if (state == state_) return;
  if (state_ == PoolState::Running && running_since_) {
    running_total_ += now - *running_since_;
    running_since_.reset();
  }
  state_ = state;
  last_change_ = now;
  switch (state) {
    case PoolState::Starting:
      tell(EventKind::PoolStarting, nullptr, "is starting", decision);
      break;
    case PoolState::Running:
      running_since_ = now;
      tell(EventKind::PoolRunning, nullptr,
           desired() > 0 ? "is running" : "waits for its first request", decision);
      break;
    case PoolState::Stopping:
      tell(EventKind::PoolStopping, nullptr, "is stopping", decision);
      break;
    case PoolState::Stopped:
      tell(EventKind::PoolStopped, nullptr, "has stopped", decision);
      break;
  }
}

Availability Pool::availability() const {
  if (disabled_) {
    switch (*disabled_) {
      case DisabledReason::RapidFail:
        return Availability::RapidFail;
      case DisabledReason::Admin:
      case DisabledReason::Config:
        return Availability::Stopped;
      case DisabledReason::StartFailure:
      case DisabledReason::Identity:
      case DisabledReason::CpuPolicy:
        return Availability::StartFailure;
    }
  }
  // What comes before it has begun waits for it.
  if (!has_begun_ && settings_->start != StartMode::Manual) return Availability::Open;
  if (state_ == PoolState::Stopped || state_ == PoolState::Stopping) return Availability::Stopped;
  return crashed_ ? Availability::Restarting : Availability::Open;
}

std::optional<TimePoint> Pool::next_deadline() const {
  std::optional<TimePoint> next;
  auto consider = [&](TimePoint at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, worker] : workers_) {
    if (worker.deadline) consider(*worker.deadline);
    if (const auto at = health_deadline(worker)) consider(*at);
  }
  for (const Slot& slot : slots_) {
    if (slot.respawn_at) consider(*slot.respawn_at);
  }
  for (const Past& past : past_) {
    if (past.tell_at) consider(*past.tell_at);
  }
  return next;
}

Decision Pool::tick(TimePoint now) {
  Decision decision;
  for (auto& [id, worker] : workers_) {
    if (worker.deadline && *worker.deadline <= now) deadline_passed(worker, now, decision);
    check_health(worker, now, decision);
  }
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    Slot& slot = slots_[number];
    if (!slot.respawn_at || *slot.respawn_at > now) continue;
    slot.respawn_at.reset();
    if (is_open(number)) spawn(number, StartReason::Replace, std::nullopt, now, decision);
  }
  tell_of_past(now, decision);
  settle(now, decision);
  return decision;
}

void Pool::tell(EventKind kind, const Worker* worker, std::string sentence, Decision& decision,
                Details details) const {
  Event event{kind, settings_->name, std::nullopt, std::move(sentence), std::move(details)};
  if (worker) event.worker = worker->name;
  event.logged = is_logged(event, settings_->log_level);
  decision.events.push_back(std::move(event));
}

}  // namespace poolwarden::pool
