// The commands of the program by name, and what they have in common.

#pragma once

namespace poolwarden::cli {

// Exit codes of all commands (design 2.1).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kTimedOut = 3;
inline constexpr int kNoSupervisor = 4;

// Runs the command that argv[1] names; the exit code of the program.
int run_program(int argc, char** argv);

}  // namespace poolwarden::cli
