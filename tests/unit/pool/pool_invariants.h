// What must hold of a pool whatever happens to it, checked after each of its decisions by looking
// at it from outside: its actions, its events and its snapshot.

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "unit/pool/pool_bench.h"

namespace poolwarden::pool {

using Transition = std::pair<PoolState, PoolState>;

// All that there are: the drawing in pool/pool.h.
inline const std::set<Transition> kTransitions = {
    {PoolState::Stopped, PoolState::Starting},  {PoolState::Starting, PoolState::Running},
    {PoolState::Running, PoolState::Starting},  {PoolState::Starting, PoolState::Stopping},
    {PoolState::Running, PoolState::Stopping},  {PoolState::Stopping, PoolState::Stopped},
    {PoolState::Stopping, PoolState::Starting},
};

inline std::optional<PoolState> state_told_by(EventKind kind) {
  if (kind == EventKind::PoolStarting) return PoolState::Starting;
  if (kind == EventKind::PoolRunning) return PoolState::Running;
  if (kind == EventKind::PoolStopping) return PoolState::Stopping;
  if (kind == EventKind::PoolStopped) return PoolState::Stopped;
  return std::nullopt;
}

class Invariants {
 public:
  explicit Invariants(const Bench& bench)
      : bench_(bench), told_(bench.pool.availability()), state_(bench.pool.state()) {}

  // After any input. `ended`: the worker whose end the input told of.
  void check(const Decision& decision, std::optional<WorkerId> ended = std::nullopt) {
    const bool was_wanted = wanted_;
    trips_now_ = tells(decision, EventKind::PoolRapidFail);
    check_end(decision, ended, was_wanted);
    for (const Action& action : decision.actions) {
      std::visit([&](const auto& each) { follow(each); }, action);
    }
    if (ended) workers_.erase(*ended);
    EXPECT_EQ(told_, bench_.pool.availability());
    const PoolSnapshot shot = bench_.snapshot();
    check_workers(shot);
    check_slots(shot);
    check_way(decision, shot);
    check_state(shot);
    wanted_ = shot.state == PoolState::Starting || shot.state == PoolState::Running;
  }

  void suspension_failed(WorkerId id) { worker(id).suspended = false; }
  void requested(BatchId batch) { batches_.push_back(batch); }

  // Each request to recycle adds up, and what has finished stays as it was.
  void check_batches(bool all_finished) const {
    for (const BatchId batch : batches_) {
      const auto progress = bench_.pool.progress(batch);
      if (!progress) continue;
      EXPECT_LE(progress->done + progress->failed, progress->total);
      EXPECT_EQ(progress->failed > 0, !progress->last_failure.empty());
      EXPECT_TRUE(progress->finished() || !all_finished) << static_cast<std::uint64_t>(batch);
    }
  }

  std::uint32_t mark_of(WorkerId id) const {
    const auto found = workers_.find(id);
    return found == workers_.end() ? 0 : found->second.mark;
  }
  std::size_t spawns() const { return known_.size(); }
  std::size_t examinations() const { return examinations_; }
  const std::set<Transition>& transitions() const { return transitions_; }

 private:
  struct Seen {
    std::uint32_t slot = 0;
    WorkerState state = WorkerState::Starting;
    bool published = false;
    bool drained = false;
    bool suspended = false;
    bool orphaned = false;
    std::uint32_t mark = 0;
    bool examined = false;
    bool stopped = false;
    bool killed = false;
  };

  Seen& worker(WorkerId id) {
    EXPECT_TRUE(workers_.contains(id)) << "an action names unknown worker " << number(id);
    return workers_[id];
  }

  void follow(const SpawnWorker& action) {
    EXPECT_TRUE(known_.insert(action.name.id).second) << number(action.name.id);
    EXPECT_EQ(action.name.generation, ++generations_[action.name.slot]);
    workers_[action.name.id].slot = action.name.slot;
    EXPECT_TRUE(trips_now_ || !bench_.pool.disabled());
  }
  // Again only after a mark that was to suspend it.
  void follow(const PublishWorker& action) {
    Seen& seen = worker(action.id);
    EXPECT_EQ(std::exchange(seen.published, true), std::exchange(seen.drained, false));
    EXPECT_FALSE(seen.suspended) << number(action.id);
  }
  void follow(const DrainWorker& action) {
    EXPECT_TRUE(worker(action.id).published) << number(action.id);
    EXPECT_FALSE(std::exchange(worker(action.id).drained, true)) << number(action.id);
    EXPECT_EQ(action.mark, ++worker(action.id).mark);
    EXPECT_NE(action.why, Intent::None);
  }
  void follow(const StopWorker& action) {
    EXPECT_FALSE(worker(action.id).killed) << number(action.id);
    EXPECT_EQ(worker(action.id).drained, worker(action.id).published) << number(action.id);
    EXPECT_FALSE(std::exchange(worker(action.id).stopped, true)) << number(action.id);
  }
  // Once of each, while there is something to be seen.
  void follow(const ExamineWorker& action) {
    EXPECT_FALSE(worker(action.id).killed) << number(action.id);
    EXPECT_FALSE(std::exchange(worker(action.id).examined, true)) << number(action.id);
    ++examinations_;
  }
  void follow(const KillWorker& action) {
    worker(action.id).orphaned = worker(action.id).state == WorkerState::Orphaned;
    EXPECT_FALSE(std::exchange(worker(action.id).killed, true)) << number(action.id);
  }
  void follow(const SignalWorker& action) {
    EXPECT_TRUE(worker(action.id).examined) << number(action.id);
    EXPECT_FALSE(std::exchange(worker(action.id).stopped, true)) << number(action.id);
  }
  void follow(const SuspendWorker& action) {
    EXPECT_FALSE(std::exchange(worker(action.id).suspended, true)) << number(action.id);
  }
  void follow(const ResumeWorker& action) {
    EXPECT_TRUE(std::exchange(worker(action.id).suspended, false)) << number(action.id);
  }
  void follow(const AbandonWorker& action) {
    EXPECT_TRUE(std::exchange(worker(action.id).published, false)) << number(action.id);
  }
  void follow(const RetireWorker&) {}  // check_end has
  void follow(const SetAvailability& action) {
    EXPECT_NE(std::exchange(told_, action.availability), action.availability);
  }
  void follow(const RunHook& action) {
    if (action.name == "orphan.action") return;
    EXPECT_EQ(bench_.pool.disabled(), DisabledReason::RapidFail);
  }

  static bool is_timeout(Intent intent) {
    return intent != Intent::None && !diagnosis::is_expected(intent);
  }

  // One event and, for a published worker, one RetireWorker for each end; neither otherwise.
  void check_end(const Decision& decision, std::optional<WorkerId> ended, bool was_wanted) {
    const bool was_published = ended && worker(*ended).published;
    EXPECT_EQ(retired(decision), was_published ? std::vector{*ended} : std::vector<WorkerId>{});
    std::size_t ends = 0;
    for (const Event& each : decision.events) {
      const auto* details = std::get_if<ExitDetails>(&each.details);
      if (!details) continue;
      ++ends;
      EXPECT_EQ(std::optional(each.worker->id), ended);
      EXPECT_NE(details->certificate, nullptr);
      EXPECT_TRUE(worker(*ended).examined || !is_timeout(details->certificate->intent));
      EXPECT_FALSE(details->counts_as_failure && !was_wanted);
      if (worker(*ended).state == WorkerState::Orphaned || worker(*ended).orphaned) continue;
      EXPECT_EQ(details->certificate->diagnosis.expected, each.kind == EventKind::WorkerStopped);
    }
    EXPECT_EQ(ends, ended ? 1u : 0u);
  }

  // The snapshot shows the workers that were spawned and have not ended, in states that follow.
  void check_workers(const PoolSnapshot& shot) {
    EXPECT_EQ(shot.workers.size(), workers_.size());
    for (const WorkerSnapshot& now : shot.workers) {
      Seen& seen = worker(now.name.id);
      EXPECT_TRUE(now.state == seen.state || can_become(seen.state, now.state) ||
                  (can_become(seen.state, WorkerState::Serving) &&  // and was taken out at once
                   can_become(WorkerState::Serving, now.state)))
          << name(seen.state) << " -> " << name(now.state);
      seen.state = now.state;
      EXPECT_EQ(seen.published, bench_.pool.is_published(now.name.id));
      EXPECT_EQ(now.state == WorkerState::Killing, seen.killed);
      EXPECT_EQ(now.state == WorkerState::Stopping, seen.stopped && !seen.killed);
      EXPECT_TRUE(!seen.suspended || now.state != WorkerState::Serving);
    }
  }

  void check_slots(const PoolSnapshot& shot) {
    const Recycle& recycle = shot.settings->recycle;
    most_workers_ = std::max<std::size_t>(most_workers_, shot.workers_max);
    std::map<std::uint32_t, std::map<WorkerState, int>> slots;
    std::size_t staying = 0;
    for (const auto& [id, seen] : workers_) {
      EXPECT_LT(seen.slot, most_workers_);
      ++slots[seen.slot][seen.state];
      staying += has_slot(seen.state) ? 1 : 0;
    }
    EXPECT_LE(staying, shot.workers_max + (recycle.overlapped ? recycle.at_once : 0u));
    std::size_t doubled = 0;
    for (auto& [slot, states] : slots) {
      EXPECT_LE(states[WorkerState::Serving] + states[WorkerState::Suspending] +
                    states[WorkerState::Suspended],
                1)
          << "slot " << slot;
      EXPECT_LE(states[WorkerState::Starting], 1) << "slot " << slot;
      if (states[WorkerState::Serving] + states[WorkerState::Starting] == 2) ++doubled;
    }
    EXPECT_LE(doubled, recycle.overlapped ? recycle.at_once : 0u);
    EXPECT_LE(shot.workers_desired, shot.workers_max);
    if (shot.state == PoolState::Stopping || shot.state == PoolState::Stopped) return;
    EXPECT_TRUE(slots.size() >= shot.workers_desired || bench_.pool.next_deadline())
        << "nothing will ever give some slot a worker";
  }

  // The states that the events tell of, one after the other, are a way through the drawing, and it
  // ends where the pool is.
  void check_way(const Decision& decision, const PoolSnapshot& shot) {
    for (const Event& each : decision.events) {
      const std::optional<PoolState> next = state_told_by(each.kind);
      if (!next) continue;
      EXPECT_TRUE(kTransitions.contains({state_, *next})) << name(state_) << " -> " << name(*next);
      transitions_.insert({state_, *next});
      state_ = *next;
    }
    EXPECT_EQ(state_, shot.state) << "is " << name(shot.state) << ", told " << name(state_);
  }

  static bool has_slot(WorkerState state) {
    return state == WorkerState::Starting || state == WorkerState::Serving ||
           state == WorkerState::Suspending || state == WorkerState::Suspended;
  }

  void check_state(const PoolSnapshot& shot) {
    const bool stops = shot.state == PoolState::Stopping || shot.state == PoolState::Stopped;
    const auto orphans = std::count_if(workers_.begin(), workers_.end(), [](const auto& entry) {
      return entry.second.state == WorkerState::Orphaned || entry.second.orphaned;
    });
    const bool all_gone = static_cast<std::size_t>(orphans) == workers_.size();
    EXPECT_EQ(shot.state == PoolState::Stopping, stops && !all_gone);
    EXPECT_TRUE(stops || !shot.disabled) << "a disabled pool goes on";
    EXPECT_EQ(shot.disabled.has_value(), !shot.disabled_because.empty());
    EXPECT_EQ(shot.state == PoolState::Running, shot.running_since.has_value());
    for (const auto& [id, seen] : workers_) {
      EXPECT_FALSE(stops && has_slot(seen.state)) << number(id);
    }
  }

  const Bench& bench_;
  Availability told_;
  PoolState state_;
  std::set<Transition> transitions_;  // that were seen
  std::size_t examinations_ = 0;
  bool wanted_ = false;
  bool trips_now_ = false;            // two fail at once: the first is replaced, the second trips
  std::size_t most_workers_ = 0;      // that it was ever told to have
  std::map<WorkerId, Seen> workers_;  // that live
  std::set<WorkerId> known_;
  std::map<std::uint32_t, std::uint64_t> generations_;
  std::vector<BatchId> batches_;
};

}  // namespace poolwarden::pool
