// The processes in a cgroup and below it: who they are, ending them, removing what they were in.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

// Also of cgroups that a worker made below its own. Processes of pid namespaces that cannot be
// seen from here are left out.
std::vector<int> members(const std::string& directory);

bool has_members(const std::vector<Group>& groups);

// Signals every member with SIGKILL, those too that are being forked. They are not yet gone when
// this returns: ask has_members().
Result<void> kill_members(const std::vector<Group>& groups);

// The cgroup and all below it, deepest first. What still has members stays, with an error.
Result<void> remove_group(const std::string& directory);

}  // namespace poolwarden::cgroup
