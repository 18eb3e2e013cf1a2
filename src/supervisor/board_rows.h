// Which rows of the scoreboard's worker table are free. A row that was given back is used again as
// late as possible, so that the last counts of a worker that ended are not mixed with another's.

#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace poolwarden::supervisor {

class BoardRows {
 public:
  explicit BoardRows(std::uint32_t count) : count_(count) {}

  std::optional<std::uint32_t> take() {
    if (fresh_ < count_) return fresh_++;
    if (returned_.empty()) return std::nullopt;
    const std::uint32_t row = returned_.front();
    returned_.pop_front();
    return row;
  }
  void give_back(std::uint32_t row) { returned_.push_back(row); }

 private:
  std::uint32_t count_;
  std::uint32_t fresh_ = 0;
  std::deque<std::uint32_t> returned_;
};

}  // namespace poolwarden::supervisor
