// Recycling: reasons become tickets, a few of them are worked on at a time. The old worker serves
// until its replacement is ready; when the replacement does not come up, it stays.

#include <algorithm>

#include "base/units.h"
#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

namespace {
constexpr std::size_t kProgressKept = 64;
constexpr std::size_t kMostWaiting = 1000;  // more come from a loop that does not wait
constexpr std::uint32_t kMostLeaving = 3;   // of one slot: their requests take very long
// A replaced worker whose requests do not end holds up the recycling of others for so long.
constexpr Duration kHoldsUp = std::chrono::seconds(10);

Intent intent_of(RecycleReason reason) {
  return reason == RecycleReason::ConfigChange ? Intent::Reload : Intent::Recycle;
}

std::string describe(Deferral why) {
  switch (why) {
    case Deferral::NoHeadroom:
      return "there is no memory for one more worker beside those that are here";
    case Deferral::Floor:
      return "too few others serve";
    case Deferral::StartFailed:
      return "its replacement did not come up";
  }
  return "";
}
}  // namespace

Result<Pool::RecycleAnswer> Pool::recycle(std::optional<std::uint32_t> slot, RecycleReason reason,
                                          TimePoint now) {
  if (state_ != PoolState::Running)
    return failure("pool " + settings_->name + " is " + std::string(name(state_)) +
                   (disabled_because_.empty() ? "" : " (" + disabled_because_ + ")"));
  std::vector<Worker*> chosen;
  for (auto& [id, worker] : workers_) {
    const bool is_up =
        worker.state == WorkerState::Serving || worker.state == WorkerState::Suspended;
    if (is_up && (!slot || worker.name.slot == *slot)) chosen.push_back(&worker);
  }
  if (slot && chosen.empty())
    return failure("pool " + settings_->name + " has no serving worker " + std::to_string(*slot));

  if (tickets_.size() >= kMostWaiting)
    return failure("pool " + settings_->name + " has " + std::to_string(tickets_.size()) +
                   " recycles waiting already; use --wait");

  const BatchId batch = new_batch();
  RecycleAnswer answer{{}, batch};
  for (Worker* worker : chosen) {
    if (worker->state == WorkerState::Serving) {
      request(*worker, reason, batch, now);
    } else {
      replace_suspended(*worker, reason, batch, now, answer.decision);
    }
  }
  advance_recycling(now, answer.decision);
  settle(now, answer.decision);
  return answer;
}

BatchId Pool::new_batch() {
  const BatchId batch{++last_batch_};
  while (progress_.size() >= kProgressKept) progress_.erase(progress_.begin());
  progress_[batch] = {};
  return batch;
}

Ticket Pool::make_ticket(const Worker& worker, RecycleReason reason, BatchId batch, TimePoint now) {
  Ticket ticket;
  ticket.old = worker.name.id;
  ticket.slot = worker.name.slot;
  ticket.reason = reason;
  ticket.batch = batch;
  ticket.begun = now;
  if (const auto found = progress_.find(batch); found != progress_.end()) ++found->second.total;
  return ticket;
}

void Pool::request(const Worker& worker, RecycleReason reason, BatchId batch, TimePoint now) {
  const Ticket ticket = make_ticket(worker, reason, batch, now);
  if (is_reactive(reason)) {  // it does harm: before those that are only to be renewed
    tickets_.push_front(ticket);
  } else {
    tickets_.push_back(ticket);
  }
}

bool Pool::is_to_be_recycled(WorkerId id) const {
  return recycling_.contains(id) ||
         std::any_of(tickets_.begin(), tickets_.end(),
                     [&](const Ticket& ticket) { return ticket.old == id; });
}

void Pool::advance_recycling(TimePoint now, Decision& decision) {
  for (auto next = tickets_.begin();
       next != tickets_.end() && under_way(now) < settings_->recycle.at_once;) {
    const Worker* old = find(next->old);
    const bool is_to_come = old && old->state == WorkerState::Starting;
    // A worker that is being recycled already: a second request waits for the first.
    if (is_to_come || recycling_.contains(next->old)) {
      ++next;
      continue;
    }
    // Whoever has ended meanwhile was replaced by a new-born, which an old reason does not concern.
    if (!old || old->state != WorkerState::Serving) {
      finish(*next, "");
      next = tickets_.erase(next);
      continue;
    }
    const auto way = way_of(*old);
    if (const auto* why = std::get_if<Deferral>(&way)) {
      defer(*next, *why, decision);
      ++next;
      continue;
    }
    const Ticket ticket = *next;
    tickets_.erase(next);
    begin_recycling(ticket, std::get<RecycleWay>(way), now, decision);
    next = tickets_.begin();
  }
}

// Those that count against recycle.at_once.
std::uint32_t Pool::under_way(TimePoint now) const {
  const auto counts = [&](const auto& entry) {
    const auto old = workers_.find(entry.first);
    const bool drains_long = old != workers_.end() && old->second.state == WorkerState::Draining &&
                             now - old->second.since >= kHoldsUp;
    return !entry.second.replaced || !drains_long;
  };
  return static_cast<std::uint32_t>(std::count_if(recycling_.begin(), recycling_.end(), counts));
}

std::uint32_t Pool::still_leaving(std::uint32_t slot) const {
  return static_cast<std::uint32_t>(
      std::count_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
        return entry.second.name.slot == slot && entry.second.state == WorkerState::Draining;
      }));
}

std::variant<RecycleWay, Deferral> Pool::way_of(const Worker& worker) const {
  if (still_leaving(worker.name.slot) >= kMostLeaving) return Deferral::NoHeadroom;
  RecycleQuestion question;
  question.overlapped = settings_->recycle.overlapped;
  question.at_once = settings_->recycle.at_once;
  question.desired = desired() - std::min(count(WorkerState::Suspended), desired());
  question.serving = count(WorkerState::Serving);
  question.memory_free = memory_for_another();
  question.memory_needed = worker.memory;
  return decide_recycle_way(question);
}

// What is free, less what replacements that are being started will need.
std::optional<std::uint64_t> Pool::memory_for_another() const {
  if (!memory_free_) return std::nullopt;
  std::uint64_t free = *memory_free_;
  for (const auto& [id, ticket] : recycling_) {
    const auto old = workers_.find(id);
    if (ticket.replaced || old == workers_.end() || old->second.in_place) continue;
    free -= std::min(free, old->second.memory.value_or(0));
  }
  return free;
}

bool Pool::fits_another(const Worker& worker) const {
  const auto free = memory_for_another();
  return !free || !worker.memory || *free >= *worker.memory;
}

void Pool::defer(Ticket& ticket, Deferral why, Decision& decision) {
  if (ticket.deferred == why) return;  // told already
  ticket.deferred = why;
  tell(EventKind::RecycleDeferred, find(ticket.old),
       "is due to be recycled (" + std::string(name(ticket.reason)) +
           "), which waits: " + describe(why),
       decision, DeferralDetails{why});
}

void Pool::begin_recycling(Ticket ticket, RecycleWay way, TimePoint now, Decision& decision) {
  Worker& old = workers_.at(ticket.old);
  ticket.begun = now;
  const bool in_place = way == RecycleWay::InPlace;
  const bool for_memory =
      in_place && settings_->recycle.overlapped && old.state == WorkerState::Serving;
  tell(EventKind::WorkerRecycling, &old,
       "is recycled: " + std::string(name(ticket.reason)) +
           (for_memory ? ", in place, for there is no memory for one more worker beside it" : ""),
       decision, RecycleDetails{ticket.reason});
  recycling_.emplace(ticket.old, ticket);
  old.in_place = in_place;
  if (in_place) return leave(old, intent_of(ticket.reason), now, decision);
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
  const auto ticket = recycling_.find(id);
  const Intent why =
      ticket == recycling_.end() ? Intent::Recycle : intent_of(ticket->second.reason);
  if (Worker* old = find(id)) leave(*old, why, now, decision);
  conclude(id, replacement, now, decision);
}

void Pool::recycling_worker_ended(const Worker& worker, const diagnosis::Diagnosis& why,
                                  TimePoint now, Decision& decision) {
  if (const auto found = recycling_.find(worker.name.id); found != recycling_.end()) {
    found->second.old_gone = true;
    return conclude(worker.name.id, worker, now, decision);
  }
  if (worker.replaces && !worker.ready_at) replacement_failed(worker, why, now, decision);
}

void Pool::replacement_failed(const Worker& replacement, const diagnosis::Diagnosis& why,
                              TimePoint now, Decision& decision) {
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
  if (Worker* old = find(ticket.old)) {  // a rule that holds on asks again, but not at once
    old->not_before = now + recycle_retry_delay(++old->failed_replacements);
  }
  // What failed for one would fail for the others: the rest of the same request is not tried.
  std::erase_if(tickets_, [&](const Ticket& waiting) {
    if (waiting.batch != ticket.batch || ticket.batch == BatchId::None) return false;
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
