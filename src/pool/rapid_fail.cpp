#include "pool/rapid_fail.h"

#include <algorithm>

namespace poolwarden::pool {

bool RapidFail::record_failure(TimePoint now) {
  if (!settings_.failures) return false;
  while (!failures_.empty() && now - failures_.front() >= settings_.within) failures_.pop_front();
  failures_.push_back(now);
  return failures_.size() >= *settings_.failures;
}

std::uint32_t RapidFail::failures_in_window(TimePoint now) const {
  return static_cast<std::uint32_t>(
      std::count_if(failures_.begin(), failures_.end(),
                    [&](TimePoint at) { return now - at < settings_.within; }));
}

}  // namespace poolwarden::pool
