// Making a v2 cgroup ready to have children with controllers. A cgroup that hands controllers down
// may hold no process of its own, so the supervisor moves into a leaf first where it has to.

#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/hierarchy.h"

namespace poolwarden::cgroup {

inline constexpr const char* kSupervisorLeaf = "supervisor";

// How the bases are called of those who try what they may do, with a pid behind it: doctor.
inline constexpr const char* kTrialPrefix = "poolwarden-doctor-";

struct Delegated {
  Group base;                        // its children have these controllers
  std::vector<std::string> missing;  // what could not be had, one sentence each
};

// Who moves with this process. Others in its cgroup stay.
struct Company {
  bool is_everybody = false;  // all of the container are ours to move
  std::optional<pid_t> companion;
};

// Creates <own>/<name>.
Result<Delegated> delegate(const Group& own, const std::string& name, const Company& company);

// Hands the controllers down to the children of `group`. Returns those that it could.
std::set<std::string> enable_controllers(const Group& group);

// A path without a supervisor's leaf at its end, from which nobody can hand controllers down. In
// that leaf are a supervisor that has moved, or was executed anew, its keeper, and whom `docker
// exec` puts beside them. `name`: of a supervisor whose name is not of the usual form.
std::string outside_of_supervisor_leaf(const std::string& path, const std::string& name = {});

// Undoes the move, whoever made it, so that the base can be removed.
void leave_supervisor_leaf(const Group& own, const Group& base);

}  // namespace poolwarden::cgroup
