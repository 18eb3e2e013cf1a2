// Cgroups of doctor's own, to try limits in: made as a supervisor makes them, and removed again.

#pragma once

#include <string>

#include "cgroup/tree.h"

namespace poolwarden::doctor {

class TrialTree {
 public:
  TrialTree();
  ~TrialTree();
  TrialTree(const TrialTree&) = delete;
  TrialTree& operator=(const TrialTree&) = delete;

  const cgroup::Tree& tree() const { return tree_; }

 private:
  cgroup::Tree tree_;
};

// /proc/self/cgroup as it would read outside of the leaf that a running supervisor has moved into.
// There `docker exec` puts us too, and nobody can hand controllers down from there.
std::string outside_of_supervisor_leaf(const std::string& self_cgroup);

}  // namespace poolwarden::doctor
