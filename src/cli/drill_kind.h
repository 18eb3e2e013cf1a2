// The failures that `poolwarden drill` can do to a worker.

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"

namespace poolwarden::cli {

enum class DrillKind {
  Segfault,
  Abort,
  Exit,     // it calls exit(), with a code
  Oom,      // its memory limit is used up
  Hang,     // it stands still until it is found, or for as long as the drill lasts
  Slow,     // it stands still for nine tenths of the time, for a while
  Recycle,  // no failure: what an administrator does
};

struct Drill {
  DrillKind kind = DrillKind::Recycle;
  int exit_code = 0;
};

// "segv", "exit=3", … Errors name them all.
Result<Drill> parse_drill(const std::string& words);

// Whether the end that it leads to counts for rapid-fail protection.
bool counts_as_failure(DrillKind kind);

}  // namespace poolwarden::cli
