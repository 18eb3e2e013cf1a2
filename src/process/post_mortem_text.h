// What a post mortem has found, as lines of text: how the process that looks tells the supervisor.
// All texts in it come from workers and their files: they are escaped and cut on both sides.

#pragma once

#include <string>
#include <string_view>

#include "diagnosis/evidence.h"

namespace poolwarden::process {

// Of fault, core, loader and backtrace.
std::string post_mortem_text(const diagnosis::Evidence& found);

// What is no such line is left out.
diagnosis::Evidence read_post_mortem(std::string_view text);

}  // namespace poolwarden::process
