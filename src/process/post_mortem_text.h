// What a post mortem has found, as lines of text: how the process that looks tells the supervisor.
// All texts in it come from workers and their files: they are escaped and cut on both sides.

#pragma once

#include <string>
#include <string_view>

#include "diagnosis/evidence.h"

namespace poolwarden::process {

// What the process that looks exits with, in place of 0, when a debugger that it ran was ended by a
// SIGKILL that it had not sent.
inline constexpr int kToolWasKilled = 9;

// Of fault, core, loader, port holder and backtrace.
std::string post_mortem_text(const diagnosis::Evidence& found);

// What is no such line is left out.
diagnosis::Evidence read_post_mortem(std::string_view text);

}  // namespace poolwarden::process
