// The numbers that WAS gives an event, finer than its kind: by the reason of a recycle, by what a
// worker died of (research/was.md 2).

#pragma once

#include <span>
#include <string_view>

#include "pool/event.h"

namespace poolwarden::pool {

struct WasNumber {
  EventKind kind;
  int number;  // 0: WAS has none for this case
  Level level;
  std::string_view when;  // "with ready: notify, READY=1 never came": for docs/events.md
  bool (*applies)(const Event& event);
};

// Of those with the event's kind the first that applies; type_of() where none does.
std::span<const WasNumber> was_numbers();

}  // namespace poolwarden::pool
