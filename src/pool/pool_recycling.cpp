// Recycling: reasons become tickets, a few of them are worked on at a time. The old worker serves
// until its replacement is ready; when the replacement does not come up, it stays.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

namespace {
constexpr std::size_t kProgressKept = 64;
constexpr std::size_t kMostWaiting = 1000;  // more come from a loop that does not wait
}  // namespace

Result<Pool::RecycleAnswer> Pool::recycle(std::optional<std::uint32_t> slot, RecycleReason reason,
                                          TimePoint now) {
  if (state_ != PoolState::Running)
    return failure("pool " + settings_->name + " is " + std::string(name(state_)) +
                   (disabled_because_.empty() ? "" : " (" + disabled_because_ + ")"));
  std::vector<const Worker*> chosen;
  for (const auto& [id, worker] : workers_) {
    if (worker.state == WorkerState::Serving && (!slot || worker.name.slot == *slot))
      chosen.push_back(&worker);
  }
  if (slot && chosen.empty())
    return failure("pool " + settings_->name + " has no serving worker " + std::to_string(*slot));

  if (tickets_.size() >= kMostWaiting)
    return failure("pool " + settings_->name + " has " + std::to_string(tickets_.size()) +
                   " recycles waiting already; use --wait");

  const BatchId batch{++last_batch_};
  while (progress_.size() >= kProgressKept) progress_.erase(progress_.begin());
  progress_[batch].total = static_cast<std::uint32_t>(chosen.size());
  for (const Worker* worker : chosen)
    tickets_.push_back({worker->name.id, worker->name.slot, reason, batch, now});

  RecycleAnswer answer{{}, batch};
  advance_recycling(now, answer.decision);
  settle(now, answer.decision);
  return answer;
}

void Pool::advance_recycling(TimePoint now, Decision& decision) {
  while (recycling_.size() < settings_->recycle.at_once) {
    // A worker that is being recycled already: a second request waits for the first.
    const auto next = std::find_if(tickets_.begin(), tickets_.end(), [&](const Ticket& waiting) {
      return !recycling_.contains(waiting.old);
    });
    if (next == tickets_.end()) return;
    const Ticket ticket = *next;
    tickets_.erase(next);
    const auto old = workers_.find(ticket.old);
    // Whoever has ended meanwhile was replaced by a new-born, which an old reason does not concern.
    if (old == workers_.end() || old->second.state != WorkerState::Serving) {
      finish(ticket, "");
      continue;
    }
    begin_recycling(ticket, now, decision);
  }
}

void Pool::begin_recycling(Ticket ticket, TimePoint now, Decision& decision) {
  Worker& old = workers_.at(ticket.old);
  ticket.begun = now;
  tell(EventKind::WorkerRecycling, &old, "is recycled: " + std::string(name(ticket.reason)),
       decision, RecycleDetails{ticket.reason});
  recycling_.emplace(ticket.old, ticket);
  if (!settings_->recycle.overlapped) return leave(old, diagnosis::Intent::Recycle, now, decision);
  spawn(ticket.slot, StartReason::Recycle, ticket.old, now, decision);
}

// The worker that left the slot for a recycle and has had no successor yet: recycled without
// overlap, or dead before its time.
std::optional<WorkerId> Pool::awaiting_successor(std::uint32_t slot) const {
  const auto found = std::find_if(recycling_.begin(), recycling_.end(), [&](const auto& entry) {
    return entry.second.slot == slot && entry.second.old_gone;  // with one, it is concluded
  });
  return found == recycling_.end() ? std::nullopt : std::optional(found->first);
}

void Pool::replacement_ready(const Worker& replacement, TimePoint now, Decision& decision) {
  const WorkerId id = *replacement.replaces;
  if (const auto found = recycling_.find(id); found != recycling_.end())
    found->second.replaced = true;
  if (const auto old = workers_.find(id); old != workers_.end())
    leave(old->second, diagnosis::Intent::Recycle, now, decision);
  conclude(id, replacement, now, decision);
  advance_recycling(now, decision);
}

void Pool::recycling_worker_ended(const Worker& worker, const diagnosis::Diagnosis& why,
                                  TimePoint now, Decision& decision) {
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end()) {
    found->second.old_gone = true;
    return conclude(worker.name.id, worker, now, decision);
  }
  if (worker.replaces && !worker.ready_at) replacement_failed(worker, why, decision);
}

void Pool::replacement_failed(const Worker& replacement, const diagnosis::Diagnosis& why,
                              Decision& decision) {
  const auto found = recycling_.find(*replacement.replaces);
  if (found == recycling_.end()) return;
  const Ticket ticket = found->second;
  recycling_.erase(found);
  const std::string sentence = "worker " + std::to_string(ticket.slot) +
                               (ticket.old_gone ? " is gone and" : " keeps serving:") +
                               " its replacement " + why.sentence;
  // Without an old worker that serves on, this is a failed start as any other.
  if (!ticket.old_gone) tell(EventKind::RecycleFailed, &replacement, sentence, decision);
  finish(ticket, sentence);
  // What failed for one would fail for the others: the rest of the same request is not tried.
  std::erase_if(tickets_, [&](const Ticket& waiting) {
    if (waiting.batch != ticket.batch) return false;
    finish(waiting, sentence);
    return true;
  });
}

// A recycle is done when the old worker is gone and a new one has been ready in its place,
// whichever comes first.
void Pool::conclude(WorkerId old, const Worker& last, TimePoint now, Decision& decision) {
  const auto found = recycling_.find(old);
  if (found == recycling_.end() || !found->second.old_gone || !found->second.replaced) return;
  const Ticket ticket = found->second;
  recycling_.erase(found);
  const Duration took = now - ticket.begun;
  tell(EventKind::WorkerRecycled, &last, "has been recycled in " + describe_duration(took),
       decision, RecycledDetails{took});
  finish(ticket, "");
}

void Pool::cancel_recycling(const std::string& because) {
  for (const Ticket& ticket : tickets_) finish(ticket, because);
  for (const auto& [id, ticket] : recycling_) finish(ticket, because);
  tickets_.clear();
  recycling_.clear();
}

void Pool::finish(const Ticket& ticket, const std::string& failure) {
  const auto found = progress_.find(ticket.batch);
  if (found == progress_.end()) return;
  if (failure.empty()) {
    ++found->second.done;
  } else {
    ++found->second.failed;
    found->second.last_failure = failure;
  }
}

std::optional<RecycleProgress> Pool::progress(BatchId batch) const {
  const auto found = progress_.find(batch);
  return found == progress_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace poolwarden::pool
