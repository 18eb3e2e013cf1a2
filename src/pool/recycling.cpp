#include "pool/recycling.h"

#include <algorithm>

namespace poolwarden::pool {

Duration recycle_retry_delay(std::uint32_t failures) {
  constexpr Duration kFirst = std::chrono::seconds(1);
  constexpr Duration kLongest = std::chrono::minutes(5);
  constexpr std::uint32_t kMostDoublings = 12;
  return std::min(kFirst * (1 << std::min(failures - 1, kMostDoublings)), kLongest);
}

}  // namespace poolwarden::pool
