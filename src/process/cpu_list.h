// CPU lists as cpuset(7) writes them: "0-1,4".

#pragma once

#include <sched.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace poolwarden::process {

Result<cpu_set_t> parse_cpu_list(const std::string& text);

std::string describe_cpus(const cpu_set_t& cpus);  // "0,1,4"

// The CPUs of `all` that fall to a slot when each gets `each` of them: slot 0 the first ones, slot
// 1 the next, and round again. All of them when there are no more than that.
cpu_set_t cpus_of_slot(const cpu_set_t& all, std::uint32_t each, std::uint32_t slot);

}  // namespace poolwarden::process
