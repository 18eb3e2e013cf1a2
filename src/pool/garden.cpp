#include "pool/garden.h"

#include <algorithm>
#include <limits>

namespace poolwarden::pool {
namespace {

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

// Workers that the load keeps busy; saturates, for the numbers come from shared memory.
std::uint64_t workers_needed(const Load& load, std::uint32_t concurrency) {
  const std::uint64_t requests = load.waiting + std::min(load.in_flight, kMost - load.waiting);
  return requests / concurrency + (requests % concurrency == 0 ? 0 : 1);
}

// Since when `holds` has been so without a break.
void keep_since(std::optional<TimePoint>& since, bool holds, TimePoint now) {
  since = holds ? since.value_or(now) : std::optional<TimePoint>();
}

}  // namespace

Garden::Garden(std::uint32_t min, std::uint32_t max, std::uint32_t concurrency,
               Duration spare_after)
    : min_(min), max_(max), concurrency_(concurrency), spare_after_(spare_after) {}

std::uint32_t Garden::wanted(const Load& load, std::uint32_t present, std::uint32_t starting,
                             TimePoint now) {
  const std::uint64_t need = workers_needed(load, concurrency_);
  std::uint64_t wanted = present;
  keep_since(waiting_since_, load.waiting > 0, now);
  keep_since(spare_since_, present > min_ && need < present, now);
  if (waiting_since_ && starting == 0 && now - *waiting_since_ >= kPatience) {
    const std::uint64_t doubled = std::uint64_t{present} * 2;
    wanted = std::max(wanted + 1, std::min(need, doubled));
    spare_since_.reset();
  } else if (spare_since_ && now - *spare_since_ >= spare_after_) {
    --wanted;
    spare_since_ = now;  // one at a time: the next one has to be spare for as long
  }
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, min_, max_));
}

}  // namespace poolwarden::pool
