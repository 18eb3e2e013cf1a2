// What the journal keeps: events and lines of worker output, each with a number and the time.

#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "pool/event.h"

namespace poolwarden::journal {

struct Entry {
  std::uint64_t sequence = 0;  // from 1 on, without gaps
  WallTime at;
  pool::Event event;
};

enum class Stream { Out, Err };
std::string_view name(Stream stream);  // "stdout", "stderr"

struct OutputLine {
  std::uint64_t sequence = 0;
  WallTime at;
  std::string pool;
  std::uint32_t slot = 0;
  std::uint64_t generation = 0;
  int pid = 0;
  Stream stream = Stream::Out;
  std::string line;  // without its newline, as it came
};

}  // namespace poolwarden::journal
