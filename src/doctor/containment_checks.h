// What holds the workers here, whatever their pools ask for: cgroups, the reaping of what they
// leave behind, and what can be seen of them. Told from facts, so that each kind of host can be
// tried.

#pragma once

#include "cgroup/tree.h"
#include "doctor/check.h"
#include "doctor/host.h"
#include "doctor/kernel_facts.h"

namespace poolwarden::doctor {

Checks check_containment(const KernelFacts& facts, const cgroup::ContainmentReport& cgroup,
                         const Host& host);

// What lets poolwarden make cgroups with limits here; empty when it can.
std::string cure_of_cgroups(const cgroup::ContainmentReport& cgroup, const Host& host);

// "SYS_PTRACE".
cgroup::Cure cure_of_capability(const std::string& name);

}  // namespace poolwarden::doctor
