// How many workers a pool has: what it was told, by command or by configuration, and what the load
// needs.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

namespace {
std::string count_of(std::uint32_t workers) {
  return std::to_string(workers) + (workers == 1 ? " worker" : " workers");
}
}  // namespace

std::uint32_t Pool::desired() const {
  return static_cast<std::uint32_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.wanted; }));
}

void Pool::want(std::uint32_t workers) {
  std::uint32_t missing = workers - std::min(desired(), workers);
  for (std::uint32_t number = 0; missing > 0; ++number) {
    if (number == slots_.size()) slots_.emplace_back();
    if (slots_[number].wanted) continue;
    slots_[number].wanted = true;
    --missing;
  }
}

void Pool::unwant(std::uint32_t slot) {
  slots_[slot].wanted = false;
  slots_[slot].respawn_at.reset();
  slots_[slot].failures_in_a_row = 0;
  // No successor is to come, so a recycle under way there is done when the old one is gone.
  std::erase_if(recycling_, [&](const auto& entry) {
    if (entry.second.slot != slot) return false;
    finish(entry.second, "");
    return true;
  });
}

// One for each CPU that workers may run on, or for each so many of them as a worker is bound to.
std::uint32_t Pool::workers_for_cpus() const {
  const worker::Limits& limits = settings_->worker.limits;
  const std::uint32_t cpus = limits.affinity ? worker::count_cpus(*limits.affinity) : around_.cpus;
  return std::max(cpus / limits.affinity_each.value_or(1), 1u);
}

void Pool::take_count(WorkerCount count) {
  min_ = count.min == 0 ? workers_for_cpus() : count.min;
  max_ = std::max(min_, count.max);
  garden_ = Garden(min_, max_, settings_->concurrency, settings_->idle.spare_after);
  if (slots_.size() < min_) slots_.resize(min_);
}

Result<Decision> Pool::scale(WorkerCount wanted, TimePoint now) {
  if (wanted.min == 0)
    return failure("cannot scale pool " + settings_->name +
                   " to no worker at all; use: poolwarden stop " + settings_->name);
  Decision decision;
  const std::uint32_t before = desired();
  take_count(wanted);
  if (!is_wanted()) return decision;  // holds when it starts again
  // An on_demand pool that waits for its first request waits on.
  if (before > 0) want(min_);
  shrink_to(max_, now, decision);
  tell_scaled(before, "as an administrator said", decision);
  fill(StartReason::ScaleUp, now, decision);
  settle(now, decision);
  return decision;
}

void Pool::tell_scaled(std::uint32_t before, const std::string& because, Decision& decision) const {
  const std::uint32_t after = desired();
  if (after == before) return;
  tell(EventKind::PoolScaled, nullptr,
       "has " + count_of(after) + " instead of " + std::to_string(before) + ", " + because,
       decision);
}

// The highest slots go, so that those that stay are numbered from 0.
void Pool::shrink_to(std::uint32_t workers, TimePoint now, Decision& decision) {
  std::uint32_t surplus = desired() - std::min(desired(), workers);
  for (auto slot = static_cast<std::uint32_t>(slots_.size()); surplus > 0 && slot-- > 0;) {
    if (!slots_[slot].wanted) continue;
    unwant(slot);
    --surplus;
    for (auto& [id, worker] : workers_) {
      if (worker.name.slot != slot || worker.ailment) continue;
      if (worker.state != WorkerState::Draining) leave(worker, Intent::ScaleDown, now, decision);
    }
  }
}

void Pool::grow_or_shrink(const Observation& seen, TimePoint now, Decision& decision) {
  Load load;
  load.waiting = seen.waiting;
  for (const auto& [id, what] : seen.workers) load.in_flight += what.in_flight;
  const std::uint32_t before = desired();
  const std::uint32_t awake = before - std::min(before, count(WorkerState::Suspended));
  const std::uint32_t wanted = garden_.wanted(load, awake, count(WorkerState::Starting), now);
  if (wanted > awake) {
    // Fewer than min are here because idle.after let them go: only requests bring them back.
    if (seen.waiting == 0 || resume_one(now, decision)) return;
    want(wanted);
    tell_scaled(before, "for requests wait", decision);
    fill(StartReason::ScaleUp, now, decision);
  } else if (wanted < awake) {
    shrink_to(before - (awake - wanted), now, decision);
    tell_scaled(before, "for nothing needed more during idle.spare_after", decision);
  }
}

Pool::RecycleAnswer Pool::reconfigure(std::shared_ptr<const PoolSettings> settings, bool recycle,
                                      TimePoint now) {
  RecycleAnswer answer{{}, new_batch()};
  Decision& decision = answer.decision;
  const worker::Limits& old_limits = settings_->worker.limits;
  const worker::Limits& new_limits = settings->worker.limits;
  const bool other_cpus =
      settings->workers.min == 0 && (old_limits.affinity != new_limits.affinity ||
                                     old_limits.affinity_each != new_limits.affinity_each);
  const bool other_count = settings->workers != settings_->workers || other_cpus;
  const bool other_times = settings->recycle.at != settings_->recycle.at;
  const WorkerCount count_before{min_, max_};
  settings_ = std::move(settings);
  rapid_fail_.change(settings_->rapid_fail);
  if (other_times) schedule_ = RecycleSchedule(settings_->recycle.at, around_.offset);
  cannot_suspend_ = false;
  take_count(other_count ? settings_->workers : count_before);
  if (!is_wanted()) return answer;

  const std::uint32_t before = desired();
  if (before > 0 && other_count) want(min_);
  shrink_to(max_, now, decision);
  tell_scaled(before, "as the new configuration says", decision);
  const bool still_suspends =
      settings_->idle.after && settings_->idle.action == IdleAction::Suspend;
  while (!still_suspends && resume_one(now, decision)) {
  }
  for (auto& [id, worker] : workers_) {
    if (!recycle) break;
    const bool serves =
        worker.state == WorkerState::Starting || worker.state == WorkerState::Serving;
    if (serves) {
      worker.owes = RecycleReason::ConfigChange;
      request(worker, RecycleReason::ConfigChange, answer.batch, now);
    } else if (worker.state == WorkerState::Suspending) {
      worker.owes = RecycleReason::ConfigChange;
    } else if (worker.state == WorkerState::Suspended) {
      replace_suspended(worker, RecycleReason::ConfigChange, answer.batch, now, decision);
    }
  }
  fill(StartReason::ScaleUp, now, decision);
  advance_recycling(now, decision);
  settle(now, decision);
  return answer;
}

}  // namespace poolwarden::pool
