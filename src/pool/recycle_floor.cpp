#include "pool/recycle_floor.h"

#include <algorithm>

namespace poolwarden::pool {
namespace {

bool fits_into_memory(const RecycleQuestion& question) {
  return !question.memory_free || !question.memory_needed ||
         *question.memory_free >= *question.memory_needed;
}

// How many others have to serve while one is replaced in place. A pool's only worker may go: its
// requests wait in the queue.
std::uint32_t floor_of(const RecycleQuestion& question) {
  if (question.desired <= 1) return 0;
  const std::uint32_t leaving = std::min(question.at_once, question.desired - 1);
  return question.desired - leaving;
}

}  // namespace

std::variant<RecycleWay, Deferral> decide_recycle_way(const RecycleQuestion& question) {
  if (question.overlapped && fits_into_memory(question)) return RecycleWay::Overlapped;
  const std::uint32_t others = question.serving - std::min(question.serving, 1u);
  if (others >= floor_of(question)) return RecycleWay::InPlace;
  return question.overlapped ? Deferral::NoHeadroom : Deferral::Floor;
}

}  // namespace poolwarden::pool
