#include "pool/recycling.h"

#include <algorithm>

namespace poolwarden::pool {

bool is_reactive(RecycleReason reason) {
  switch (reason) {
    case RecycleReason::Memory:
    case RecycleReason::PrivateMemory:
    case RecycleReason::Cpu:
    case RecycleReason::Unhealthy:
    case RecycleReason::WorkerRequest:
    case RecycleReason::QueueLimit:
      return true;
    case RecycleReason::Time:
    case RecycleReason::Requests:
    case RecycleReason::Schedule:
    case RecycleReason::ConfigChange:
    case RecycleReason::FileChange:
    case RecycleReason::Manual:
      return false;
  }
  return false;
}

Duration recycle_retry_delay(std::uint32_t failures) {
  constexpr Duration kFirst = std::chrono::seconds(1);
  constexpr Duration kLongest = std::chrono::minutes(5);
  constexpr std::uint32_t kMostDoublings = 12;
  return std::min(kFirst * (1 << std::min(failures - 1, kMostDoublings)), kLongest);
}

}  // namespace poolwarden::pool
