// Recycling: reasons become tickets, a few of them are worked on at a time. The old worker serves
// until its replacement is ready; when the replacement does not come up, it stays.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

namespace {
constexpr std::size_t kProgressKept = 64;
}

Result<Pool::RecycleAnswer> Pool::recycle(std::optional<std::uint32_t> slot, RecycleReason reason,
                                          TimePoint now) {
  if (state_ != PoolState::Running)
    return failure("pool " + settings_->name + " is " + std::string(name(state_)) +
                   (disabled_because_.empty() ? "" : " (" + disabled_because_ + ")"));
  std::vector<WorkerId> chosen;
  for (const auto& [id, worker] : workers_) {
    if (worker.state == WorkerState::Serving && (!slot || worker.name.slot == *slot))
      chosen.push_back(id);
  }
  if (slot && chosen.empty())
    return failure("pool " + settings_->name + " has no serving worker " + std::to_string(*slot));

  const BatchId batch{++last_batch_};
  while (progress_.size() >= kProgressKept) progress_.erase(progress_.begin());
  progress_[batch].total = static_cast<std::uint32_t>(chosen.size());
  for (const WorkerId id : chosen) tickets_.push_back({id, reason, batch, std::nullopt, now});

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
    Ticket ticket = std::move(*next);
    tickets_.erase(next);
    const auto old = workers_.find(ticket.old);
    // Whoever has ended meanwhile was replaced by a new-born, which an old reason does not concern.
    if (old == workers_.end() || old->second.state != WorkerState::Serving) {
      finish(ticket, "");
      continue;
    }
    begin_recycling(std::move(ticket), now, decision);
  }
}

void Pool::begin_recycling(Ticket ticket, TimePoint now, Decision& decision) {
  Worker& old = workers_.at(ticket.old);
  ticket.begun = now;
  tell(EventKind::WorkerRecycling, &old, "is recycled: " + std::string(name(ticket.reason)),
       decision, RecycleDetails{ticket.reason});
  const WorkerId id = ticket.old;
  Ticket& kept = recycling_.emplace(id, std::move(ticket)).first->second;
  if (!settings_->recycle.overlapped) return leave(old, diagnosis::Intent::Recycle, now, decision);
  kept.replacement = WorkerId{next_id_};
  spawn(old.name.slot, StartReason::Recycle, id, now, decision);
}

void Pool::replacement_ready(const Worker& replacement, TimePoint now, Decision& decision) {
  const auto old = workers_.find(*replacement.replaces);
  if (old != workers_.end()) leave(old->second, diagnosis::Intent::Recycle, now, decision);
}

void Pool::recycling_worker_ended(const Worker& worker, const diagnosis::Diagnosis& why,
                                  TimePoint now, Decision& decision) {
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end()) {
    const Ticket ticket = std::move(found->second);
    recycling_.erase(found);
    const Duration took = now - ticket.begun;
    tell(EventKind::WorkerRecycled, &worker, "has been recycled in " + describe_duration(took),
         decision, RecycledDetails{took});
    return finish(ticket, "");
  }
  if (!worker.replaces || worker.ready_at) return;
  const auto found = recycling_.find(*worker.replaces);
  if (found == recycling_.end()) return;
  const Ticket ticket = std::move(found->second);
  recycling_.erase(found);
  const std::string sentence = "worker " + std::to_string(worker.name.slot) +
                               " keeps serving: its replacement " + why.sentence;
  tell(EventKind::RecycleFailed, &worker, sentence, decision);
  finish(ticket, sentence);
  // What failed for one would fail for the others: the rest of the same request is not tried.
  std::erase_if(tickets_, [&](const Ticket& waiting) {
    if (waiting.batch != ticket.batch) return false;
    finish(waiting, sentence);
    return true;
  });
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
