// What one line of output gives away by itself, without those around it.

#pragma once

#include <optional>
#include <string_view>

#include "diagnosis/output_clues.h"

namespace poolwarden::diagnosis {

// Each knows the texts of one kind of program.
std::optional<OutputClue> loader_clue(std::string_view line);  // ld.so of glibc and musl
std::optional<OutputClue> module_clue(std::string_view line);  // dlopen(), imports of languages
std::optional<OutputClue> shell_clue(std::string_view line);   // sh, bash, busybox, env
std::optional<OutputClue> port_clue(std::string_view line);
std::optional<OutputClue> identity_clue(std::string_view line);
std::optional<OutputClue> memory_clue(std::string_view line);
std::optional<OutputClue> fork_clue(std::string_view line);
std::optional<OutputClue> abort_clue(std::string_view line);      // of the C library
std::optional<OutputClue> exception_clue(std::string_view line);  // that tell all in one line
std::optional<OutputClue> output_clue(std::string_view line);

}  // namespace poolwarden::diagnosis
