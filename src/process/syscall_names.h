// The names of the system calls that a thread can wait in for long.

#pragma once

#include <string_view>

namespace poolwarden::process {

// Of the machine that this runs on; empty for a number that is not among them.
std::string_view syscall_name(long number);

}  // namespace poolwarden::process
