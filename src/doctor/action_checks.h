// Whether the commands that a pool's settings name for what happens to it can be run: by poolwarden
// itself, not by the pool's user.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "doctor/check.h"

namespace poolwarden::doctor {

// `setting`: "rapid_fail.action". An empty command is none, and well.
Checks check_action(const std::string& setting, const std::vector<std::string>& command,
                    const std::map<std::string, std::string>& environment);

}  // namespace poolwarden::doctor
