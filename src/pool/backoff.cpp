#include "pool/backoff.h"

#include <algorithm>

namespace poolwarden::pool {

Duration restart_delay(std::uint32_t failures) {
  constexpr std::chrono::milliseconds kFirst{250};
  constexpr std::chrono::milliseconds kMost{10'000};
  if (failures <= 1) return Duration::zero();
  const std::uint32_t doublings = std::min(failures - 2, 10u);
  return std::min(kFirst * (1u << doublings), kMost);
}

}  // namespace poolwarden::pool
