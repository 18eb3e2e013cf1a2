// A worker with all its descendants, as one thing to be frozen or ended: by its cgroup where it has
// one, and by what /proc tells: whoever may write cgroups may leave his, or remove it.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cgroup/leaf.h"
#include "process/process_table.h"

namespace poolwarden::process {

class WorkerTree {
 public:
  WorkerTree() = default;
  WorkerTree(cgroup::Leaf leaf, TreeSigns signs);

  // To be told when the status of the root has been taken.
  void root_reaped() { signs_.reaped = true; }

  // Sends SIGKILL to every process of it.
  void kill() const;
  bool is_gone() const;
  std::vector<pid_t> members() const;

  // Has every process of it stand still: by its cgroup, else by SIGSTOP. They may still be killed.
  // Errors: it runs on.
  Result<void> freeze();
  void thaw();

  // Returns when nobody is left, or after so long.
  boost::asio::awaitable<void> settle(Duration limit) const;

  // Kills until nobody is left; gives up after 5 s, when somebody hangs in the kernel (state D).
  boost::asio::awaitable<bool> end() const;

  const cgroup::Leaf& leaf() const { return leaf_; }

 private:
  bool holds_root() const;
  bool may_be_elsewhere() const;  // than in its cgroup
  Result<void> stop_all();

  cgroup::Leaf leaf_;
  TreeSigns signs_;
  mutable SeenProcesses seen_;  // whoever looks adds to it
  bool stopped_by_signal_ = false;
};

}  // namespace poolwarden::process
