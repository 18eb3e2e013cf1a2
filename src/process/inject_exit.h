// Makes a running process end as if it had called exit(): for fire drills.

#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace poolwarden::process {

// Blocks, for 5 s at most, and is the tracer of the process meanwhile: to be called in a process of
// its own. The end itself may come a moment after this has returned.
Result<void> inject_exit(pid_t pid, int code);

}  // namespace poolwarden::process
