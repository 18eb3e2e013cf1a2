// Making a v2 cgroup ready to have children with controllers. A cgroup that hands controllers down
// may hold no process of its own, so the supervisor moves into a leaf first where it has to.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

inline constexpr const char* kSupervisorLeaf = "supervisor";

struct Delegated {
  Group base;                        // its children have these controllers
  std::vector<std::string> missing;  // what could not be had, one sentence each
  bool moved = false;                // this process is now in <base>/supervisor
};

// The pids in it, as the kernel writes them; not those below it.
std::vector<std::string> processes_in(const Group& group);

// Creates <own>/<name>. `companions`: those that move with this process; others in `own` stay.
Result<Delegated> delegate(const Group& own, const std::string& name,
                           const std::vector<std::string>& companions);

// Hands the controllers down to the children of `group`. Returns those that it could.
std::set<std::string> enable_controllers(const Group& group);

// Undoes the move, so that the base can be removed.
void leave_supervisor_leaf(const Group& own, const Group& base);

}  // namespace poolwarden::cgroup
