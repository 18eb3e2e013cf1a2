// Whether an ELF program fits this machine, and finds its loader and its libraries.

#pragma once

#include <map>
#include <string>

#include "doctor/check.h"

namespace poolwarden::doctor {

// `subject`: what the program is: "program", "interpreter". `environment` and `directory`: the
// worker's, for LD_LIBRARY_PATH and what is relative in it.
Checks check_elf(const std::string& subject, const std::string& path,
                 const std::map<std::string, std::string>& environment,
                 const std::string& directory);

}  // namespace poolwarden::doctor
