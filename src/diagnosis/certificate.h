// The record of one end of a worker: who it was, how it ended, why, and what it left behind.

#pragma once

#include <cstdint>
#include <string>

#include "diagnosis/diagnosis.h"

namespace poolwarden::diagnosis {

struct Certificate {
  std::uint64_t number =
      0;  // counts all of them, from 1 on, also over restarts where they are kept
  std::string pool;
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
  int pid = 0;  // 0 when there never was a process
  WallTime ended;
  Duration uptime{};
  bool was_ready = false;
  Intent intent = Intent::None;
  std::string recycle_reason;  // of a recycle: "memory"
  std::string debug_tool;      // it ran under: "gdb"; empty: none
  Evidence evidence;
  Diagnosis diagnosis;
};

// The whole certificate as lines of text, for `why` and /dev/termination-log: what is not known is
// left out, long lists are cut, and nothing in it moves the cursor of a terminal.
std::string describe(const Certificate& certificate);

}  // namespace poolwarden::diagnosis
