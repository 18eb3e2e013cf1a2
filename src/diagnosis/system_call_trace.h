// Reads what `strace -f -tt` wrote (strace(1)): the last system calls, the last that failed, the
// signals, and how each process ended.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::diagnosis {

struct FailedCall {
  int pid = 0;
  std::string time;   // "02:05:43.905806", as it stands there
  std::string call;   // "openat(AT_FDCWD, \"/etc/app.conf\", O_RDONLY)"
  std::string error;  // "ENOENT (No such file or directory)"
};

struct SystemCallTrace {
  std::vector<FailedCall> failed;    // the last ones, in their order
  std::vector<std::string> calls;    // the last ones, of whatever outcome: "123 close(3) = 0"
  std::vector<std::string> signals;  // "123 --- SIGSEGV {si_signo=SIGSEGV, …} ---"; the last ones
  std::vector<std::string> ends;     // "123 +++ exited with 3 +++"; the last ones
};

// Keeps the last `most` of each kind. Calls that fail in the normal course of events (EAGAIN,
// EINTR, EINPROGRESS, a terminal that is none) are left out. The text may begin or end within a
// line.
SystemCallTrace read_system_call_trace(std::string_view text, std::size_t most);

}  // namespace poolwarden::diagnosis
