// Which worker the kernel's OOM killer struck, where only the container as a whole counts its
// kills: one that is news explains the next worker that ends by a SIGKILL of nobody's.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "base/clock.h"

namespace poolwarden::process {

class OomLedger {
 public:
  // `count` reads how often it has struck so far; absent where nothing tells.
  explicit OomLedger(std::function<std::optional<std::uint64_t>()> count);

  // To be called about once a second: what struck another process than a worker is then too old to
  // explain the end of one.
  void look(TimePoint now);

  // Whether there was a kill lately that explains no other worker's end yet. It then does this one.
  bool claim(TimePoint now);

 private:
  std::function<std::optional<std::uint64_t>()> count_;
  std::uint64_t seen_ = 0;
  std::deque<TimePoint> unexplained_;  // when each was noticed
};

}  // namespace poolwarden::process
