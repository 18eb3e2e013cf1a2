// CPU lists as cpuset(7) writes them: "0-1,4".

#pragma once

#include <sched.h>

#include <string>

#include "base/result.h"

namespace poolwarden::process {

Result<cpu_set_t> parse_cpu_list(const std::string& text);

}  // namespace poolwarden::process
