// The tools of `debug`: how each is put before a worker's command, and what it leaves behind.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "pool/debugging.h"

namespace poolwarden::cli {

enum class DebugTool { Gdb, GdbServer, Strace, Loader };

Result<DebugTool> parse_debug_tool(const std::string& text);
std::string_view name(DebugTool tool);

// Whether it is a program that traces (ptrace(2)): the loader traces itself.
bool is_tracer(DebugTool tool);
// It waits for somebody who debugs.
bool is_interactive(DebugTool tool);

struct DebugPlace {
  std::string program;  // of the tool; empty for the loader
  std::string folder;   // the worker's user may write there
  std::string script;   // what gdb is told to do (gdb_script()); his to read only
  std::string address;  // HOST:PORT that gdbserver listens on
};
pool::DebugStart start_under(DebugTool tool, const DebugPlace& place);

// The file that the tool writes; for the loader the beginning of names that end in a pid.
std::string output_of(DebugTool tool, const std::string& folder);

std::string gdb_script(const std::string& folder);

}  // namespace poolwarden::cli
