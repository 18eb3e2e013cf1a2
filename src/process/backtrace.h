// Where a process stood that left a core file: asked of gdb or eu-stack, whichever is installed.

#pragma once

#include <string>
#include <vector>

namespace poolwarden::process {

// Of the thread that met the signal, innermost first; empty when there is no such tool. Blocks for
// as long as the tool takes, so in a process of its own, under the rlimits of that. `program` may
// be empty. No values of variables are shown: they may be secrets.
std::vector<std::string> backtrace_of_core(const std::string& core, const std::string& program);

// From what the tools write.
std::vector<std::string> read_gdb_frames(const std::string& text);
std::vector<std::string> read_eu_stack_frames(const std::string& text);

}  // namespace poolwarden::process
