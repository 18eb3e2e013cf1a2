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

// Creates <own>/<name>. `owns_all`: every process in `own` is of our container, and may be moved.
Result<Delegated> delegate(const Group& own, const std::string& name, bool owns_all);

// Hands the controllers down to the children of `group`. Returns those that it could.
std::set<std::string> enable_controllers(const Group& group);

// Undoes the move, so that the base can be removed.
void leave_supervisor_leaf(const Group& own, const Group& base);

}  // namespace poolwarden::cgroup
