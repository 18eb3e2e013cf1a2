// Attaches a debugger to this very process before the first instruction of the program that it
// becomes. So a debugged worker keeps what a wrapper that is its parent would take: its pid, which
// signals, LISTEN_PID and NOTIFY_SOCKET go by, and its own exit status.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace poolwarden::process {

// Becomes `command`, found as execvp(3) finds it, and stops there until the debugger goes on:
// `tool`, in whose words {PID} stands for our pid, runs as a process that is nobody's child here.
// Whatever becomes of the debugger, the program does not stand still without it. Returns only when
// the program cannot be executed.
Error exec_debugged(const std::vector<std::string>& tool, const std::vector<std::string>& command);

// Whether one may trace here as exec_debugged() does, tried with processes of our own. The error
// says what forbids it, and what would grant it.
Result<void> try_tracing();

// What decides whether tracing is allowed, ptrace(2).
struct TraceRights {
  int error = 0;                // of the try; ESRCH: whoever tried was killed
  bool has_capability = false;  // CAP_SYS_PTRACE
  bool is_filtered = false;     // by seccomp(2)
  int yama_scope = 0;           // kernel.yama.ptrace_scope
};
std::string explain_refusal(const TraceRights& rights);

}  // namespace poolwarden::process
