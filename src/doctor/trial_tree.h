// Cgroups of doctor's own, to try limits in: made as a supervisor makes them, and removed again,
// whatever becomes of doctor meanwhile.

#pragma once

#include <sys/types.h>

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

}  // namespace poolwarden::doctor
