// The children that somebody waits for. Shared by all who start processes, and asked by the reaper,
// which takes only strangers: waiting for a pid twice would steal its status.

#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <set>

namespace poolwarden::process {

// Copies are the same set: a child whose end is never awaited may outlive whoever made the first.
class KnownPids {
 public:
  void add(pid_t pid) { shared_->pids.insert(pid); }
  bool contains(pid_t pid) const { return shared_->pids.contains(pid); }

  // Called once the status of `pid` has been taken.
  void remove(pid_t pid) {
    if (shared_->pids.erase(pid) > 0 && shared_->on_removed) shared_->on_removed();
  }

  // A known zombie hides strangers from waitid(P_ALL): when it is gone the reaper looks again.
  void on_removed(std::function<void()> callback) { shared_->on_removed = std::move(callback); }

 private:
  struct Shared {
    std::set<pid_t> pids;
    std::function<void()> on_removed;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace poolwarden::process
