#include "cli/drill_kind.h"

#include <charconv>

namespace poolwarden::cli {
namespace {

struct Word {
  std::string_view word;
  DrillKind kind;
};
constexpr std::array kWords = {
    Word{"segv", DrillKind::Segfault}, Word{"abort", DrillKind::Abort},
    Word{"oom", DrillKind::Oom},       Word{"hang", DrillKind::Hang},
    Word{"slow", DrillKind::Slow},     Word{"recycle", DrillKind::Recycle},
};
constexpr std::string_view kExit = "exit=";
constexpr int kHighestCode = 255;  // what is left of it in a status: wait(2)

}  // namespace

Result<Drill> parse_drill(const std::string& words) {
  for (const Word& each : kWords) {
    if (each.word == words) return Drill{each.kind, 0};
  }
  int code = -1;
  if (words.starts_with(kExit)) {
    const char* end = words.data() + words.size();
    const auto read = std::from_chars(words.data() + kExit.size(), end, code);
    if (read.ec == std::errc() && read.ptr == end && code >= 0 && code <= kHighestCode)
      return Drill{DrillKind::Exit, code};
    return failure("exit=N takes a code from 0 to 255");
  }
  return failure("cannot drill \"" + words +
                 "\": it is one of segv, abort, exit=N, oom, hang, slow and recycle");
}

bool counts_as_failure(DrillKind kind) {
  switch (kind) {
    case DrillKind::Segfault:
    case DrillKind::Abort:
    case DrillKind::Exit:
    case DrillKind::Oom:
    case DrillKind::Hang:
      return true;
    case DrillKind::Slow:
    case DrillKind::Recycle:
      return false;
  }
  return false;
}

}  // namespace poolwarden::cli
