// Debugging a start: whose turn it is, how that one comes to be, and how it is undone.

#include <algorithm>

#include "pool/pool.h"

namespace poolwarden::pool {

using diagnosis::Intent;

namespace {
constexpr const char* kCalledOff = "the debugging that it was for was called off";
}

Result<Pool::DebugAnswer> Pool::debug(DebugStart start, std::optional<std::uint32_t> slot,
                                      TimePoint now) {
  DebugAnswer answer;
  if (slot && *slot >= slots_.size())
    return failure("pool " + settings_->name + " has no worker " + std::to_string(*slot));
  const Worker* chosen = nullptr;  // that makes room, or serves on until the debugged one is ready
  for (const auto& [id, worker] : workers_) {
    const bool is_up =
        worker.state == WorkerState::Serving || worker.state == WorkerState::Suspended;
    const bool is_other = slot && worker.name.slot != *slot;
    if (!is_up || is_other || is_to_be_recycled(id)) continue;
    if (!chosen || worker.name.slot < chosen->name.slot) chosen = &worker;
  }
  if (!is_wanted()) {
    answer.way = DebugWay::WhenStarted;
  } else if (chosen && state_ == PoolState::Running) {
    answer.way = DebugWay::Recycle;
  } else if (slot) {
    return failure("pool " + settings_->name + " has no serving worker " + std::to_string(*slot));
  }
  answer.id = debugging_.order(std::move(start), slot);
  if (answer.way == DebugWay::Recycle) {
    debugging_batch_ = new_batch();
    if (chosen->state == WorkerState::Serving) {
      request(*chosen, RecycleReason::Manual, debugging_batch_, now);
    } else {
      replace_suspended(workers_.at(chosen->name.id), RecycleReason::Manual, debugging_batch_, now,
                        answer.decision);
    }
    advance_recycling(now, answer.decision);
  } else if (answer.way == DebugWay::NextStart) {
    for (Slot& waiting : slots_) {  // whoever waits after a failure need not wait for this
      if (waiting.respawn_at) waiting.respawn_at = now;
    }
  }
  settle(now, answer.decision);
  return answer;
}

Decision Pool::stop_debugging(TimePoint now) {
  Decision decision;
  if (debugging_.withdraw()) {
    std::erase_if(tickets_, [&](const Ticket& ticket) {
      if (ticket.batch != debugging_batch_) return false;
      finish(ticket, kCalledOff);
      return true;
    });
  }
  std::vector<WorkerId> debugged;
  for (const auto& [id, worker] : workers_) {
    if (!worker.debug_tool.empty()) debugged.push_back(id);
  }
  for (const WorkerId id : debugged) {
    Worker& worker = workers_.at(id);
    if (worker.state == WorkerState::Starting) {
      forget_replacement(worker);
      leave(worker, Intent::Recycle, now, decision);
    } else if (worker.state == WorkerState::Serving && state_ == PoolState::Running &&
               !is_to_be_recycled(id)) {
      request(worker, RecycleReason::Manual, new_batch(), now);
    }
  }
  advance_recycling(now, decision);
  settle(now, decision);
  return decision;
}

// The worker that it was to replace serves on, which is no failure. The next recycle of that one
// has a replacement of its own, whose start does not fail with the end of this one.
void Pool::forget_replacement(Worker& worker) {
  const auto ticket = worker.replaces ? recycling_.find(*worker.replaces) : recycling_.end();
  if (ticket == recycling_.end() || ticket->second.old_gone) return;
  finish(ticket->second, kCalledOff);
  recycling_.erase(ticket);
  worker.replaces.reset();
}

Decision Pool::debugger_failed(const std::string& sentence) const {
  Decision decision;
  tell(EventKind::DebuggerFailed, nullptr, sentence, decision);
  return decision;
}

bool Pool::is_debugging() const {
  return debugging_.is_waiting() ||
         std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& entry) { return !entry.second.debug_tool.empty(); });
}

}  // namespace poolwarden::pool
