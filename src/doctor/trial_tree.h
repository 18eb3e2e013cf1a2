// Cgroups of doctor's own, to try limits in: made as a supervisor makes them, and removed again,
// whatever becomes of doctor meanwhile.

#pragma once

#include <sys/types.h>

#include <string>

#include "cgroup/tree.h"

namespace poolwarden::doctor {

// Of a process with one thread, which lives as long as that one.
class TrialTree {
 public:
  TrialTree();
  ~TrialTree();
  TrialTree(const TrialTree&) = delete;
  TrialTree& operator=(const TrialTree&) = delete;

  const cgroup::Tree& tree() const { return tree_; }

 private:
  cgroup::Tree tree_;
  pid_t remover_ = -1;
};

// /proc/self/cgroup as it would read outside of the leaf that a running supervisor has moved into.
// There `docker exec` puts us too, and nobody can hand controllers down from there.
std::string outside_of_supervisor_leaf(const std::string& self_cgroup);

}  // namespace poolwarden::doctor
