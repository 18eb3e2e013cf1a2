// Whether a recycle that is due may begin now, and how.

#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "pool/event.h"

namespace poolwarden::pool {

enum class RecycleWay {
  Overlapped,  // the replacement is ready before the old worker stops
  InPlace,     // the old worker stops first
};

struct RecycleQuestion {
  bool overlapped = true;                      // recycle.overlapped
  std::uint32_t at_once = 1;                   // recycle.at_once
  std::uint32_t desired = 1;                   // workers that the pool wants
  std::uint32_t serving = 1;                   // that do serve, the old one included
  std::optional<std::uint64_t> memory_free;    // bytes; absent: not known
  std::optional<std::uint64_t> memory_needed;  // bytes, of one more worker
};

// Overlapped where memory allows, else in place as long as enough others serve: desired - at_once
// of them, and one at least if the pool has more than one. Else the reason to wait.
std::variant<RecycleWay, Deferral> decide_recycle_way(const RecycleQuestion& question);

}  // namespace poolwarden::pool
