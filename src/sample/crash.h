// Dies by a signal that the processor or the kernel really raises.

#pragma once

#include <string>

namespace poolwarden::sample {

// `signal` without its SIG; an unknown one counts as SEGV.
[[noreturn]] void die_of(const std::string& signal);

}  // namespace poolwarden::sample
