// Where a process stood that left a core file: asked of gdb or eu-stack, whichever is installed.

#pragma once

#include <string>
#include <vector>

namespace poolwarden::process {

struct Backtrace {
  std::vector<std::string> frames;  // of the thread that met the signal, innermost first
  std::string why_none;             // "neither gdb nor eu-stack is installed"
  bool was_tool_killed = false;     // by a SIGKILL that is not ours
};

struct BacktraceTools {
  std::string gdb = "/usr/bin/gdb";
  std::string eu_stack = "/usr/bin/eu-stack";
};

// Blocks for as long as the tool takes, so to be called in a process of its own, with one thread;
// the tool ends with that, and has its rlimits. `program` may be empty. No values of variables are
// shown: they may be secrets.
Backtrace backtrace_of_core(const std::string& core, const std::string& program,
                            const BacktraceTools& tools = {});

// From what the tools write.
std::vector<std::string> read_gdb_frames(const std::string& text);
std::vector<std::string> read_eu_stack_frames(const std::string& text);

}  // namespace poolwarden::process
