#include "pool/debugging.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace poolwarden::pool {

namespace {
constexpr std::size_t kStandingsKept = 64;

bool has_ended(DebugStage stage) {
  return stage == DebugStage::Ended || stage == DebugStage::Withdrawn;
}
}  // namespace

std::optional<Duration> ready_limit(const std::optional<DebugStart>& start,
                                    std::optional<Duration> ready_timeout) {
  if (!start || !ready_timeout) return ready_timeout;
  if (!start->patience) return std::nullopt;
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  const std::uint32_t times = std::max(*start->patience, 1u);
  return std::min(*ready_timeout, kLongest / times) * times;
}

DebugId Debugging::order(DebugStart start, std::optional<std::uint32_t> slot) {
  withdraw();
  const DebugId id{++last_};
  waiting_ = std::move(start);
  slot_ = slot;
  while (standings_.size() >= kStandingsKept) {
    const auto oldest = std::find_if(standings_.begin(), standings_.end(),
                                     [](const Standing& one) { return has_ended(one.stage); });
    if (oldest == standings_.end()) break;  // as many as there are workers that carry one
    standings_.erase(oldest);
  }
  standings_.push_back({id, DebugStage::Waiting, {}});
  return id;
}

bool Debugging::withdraw() {
  if (!waiting_) return false;
  waiting_.reset();
  standings_.back().stage = DebugStage::Withdrawn;
  return true;
}

std::optional<DebugStart> Debugging::taken_by(worker::WorkerId worker, std::uint32_t slot) {
  if (!waiting_ || slot_.value_or(slot) != slot) return std::nullopt;
  standings_.back().stage = DebugStage::Carried;
  standings_.back().worker = worker;
  return std::exchange(waiting_, std::nullopt);
}

void Debugging::worker_ended(worker::WorkerId worker) {
  for (Standing& standing : standings_) {
    if (standing.stage == DebugStage::Carried && standing.worker == worker)
      standing.stage = DebugStage::Ended;
  }
}

bool Debugging::is_over(DebugId id) const {
  const auto found = standing(id);
  return !found || has_ended(found->stage);
}

std::optional<Debugging::Standing> Debugging::standing(DebugId id) const {
  const auto found = std::find_if(standings_.begin(), standings_.end(),
                                  [&](const Standing& standing) { return standing.id == id; });
  return found == standings_.end() ? std::nullopt : std::optional(*found);
}

}  // namespace poolwarden::pool
