// Whether a program can be run by who looks: the way to it, its interpreters, its libraries.

#pragma once

#include <map>
#include <string>

#include "doctor/check.h"

namespace poolwarden::doctor {

struct ProgramPlace {
  std::string path;                                // as the worker's exec gets it
  std::string directory;                           // the worker's; empty: ours
  std::map<std::string, std::string> environment;  // for PATH of `#!/usr/bin/env NAME`
  std::string named_in = "`command`";              // the key of the configuration that names it
};

Checks check_program(const ProgramPlace& program);

}  // namespace poolwarden::doctor
