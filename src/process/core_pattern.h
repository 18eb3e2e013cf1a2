// Where the kernel writes core files, and why it may have written none (core(5)).

#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "diagnosis/evidence.h"

namespace poolwarden::process {

struct CorePattern {
  std::string text;       // /proc/sys/kernel/core_pattern
  bool uses_pid = false;  // core_uses_pid
};

CorePattern read_core_pattern();

// Who gets the core in place of a file: "is piped to /usr/bin/apport"; empty: it is a file.
std::string describe_core_receiver(const CorePattern& pattern);

// What is known of the process that dumped core.
struct CoreOwner {
  pid_t pid = 0;
  int signal = 0;
  bool has_dumped = true;                   // the kernel says that it has written it all
  std::string directory;                    // that it started in
  WallTime since;                           // it started
  std::optional<std::uint64_t> limit = {};  // RLIMIT_CORE in bytes; absent: none, or not known
  bool may_write_anywhere = false;          // CAP_DAC_OVERRIDE
};

// The file's path with * in place of what cannot be known any more; absolute.
std::string core_file_pattern(const CorePattern& pattern, const CoreOwner& owner);

// Whether a core file may be the process's own, by what is in it.
using MayBeIts = std::function<bool(const std::string& path)>;

// The newest file that fits and was written since; or why there is none. Reads directories, and
// whether the owner may write to one is asked for the process that calls it, where that matters.
diagnosis::CoreFile find_core_file(const CorePattern& pattern, const CoreOwner& owner,
                                   const MayBeIts& may_be_its);

// Of one that is shorter than it ought to be.
std::string why_cut_off(const std::string& core, const CoreOwner& owner);

}  // namespace poolwarden::process
