// Who descends from whom, read from /proc: finds a worker's processes where there is no cgroup to
// hold them together.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "process/known_pids.h"

namespace poolwarden::process {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  char state = '?';           // of its first thread
  int threads = 0;            // with those that have ended and whose status nobody has taken
  std::uint64_t started = 0;  // clock ticks since boot: with the pid it names one process
};

std::vector<ProcessEntry> list_processes();

// By what the processes that a worker has started are known.
struct TreeSigns {
  pid_t root = 0;        // leads the session that it started in
  bool reaped = false;   // the root: somebody else may have its pid by now
  std::string marker;    // "NAME=value" of the environment, unlike any other worker's
  KnownPids known = {};  // children that are nobody's orphans
};

// Processes that were found to be of a worker, for their signs may go before they do: with the
// memory of one that is ending, or by its own hand.
class SeenProcesses {
 public:
  void add(const ProcessEntry& entry) { started_[entry.pid] = entry.started; }
  void add(const std::vector<pid_t>& pids);
  bool contains(const ProcessEntry& entry) const;
  bool any_alive() const;

 private:
  std::map<pid_t, std::uint64_t> started_;
};

// Those alive: the root and its session, whoever has the marker, those seen before, and all their
// descendants. One that was never seen before it left all three cannot be found.
std::vector<pid_t> find_tree(const TreeSigns& signs, SeenProcesses& seen);

// Whether the root is there, or one that it left behind: orphans become our children, whatever
// cgroup they are in. Looks at those alone, where find_tree() reads all of /proc; as long as their
// parents live, others are not seen.
bool has_orphans(const TreeSigns& signs, const SeenProcesses& seen);

// The same as find_tree() from a table read before, without looking for markers.
std::vector<pid_t> tree_below(const std::vector<ProcessEntry>& all, pid_t root);

// The debugger or the like that is attached to the process; 0: none.
pid_t tracer_of(pid_t pid);

// What every worker below this runtime directory has in its environment, up to its own number.
std::string marker_prefix(const std::string& runtime_directory);

// Kills whoever has a variable that begins so, and their descendants, until nobody is left; gives
// up after 2 s. Returns how many were killed. For the end of what a former supervisor left.
std::size_t kill_marked(const std::string& prefix);

}  // namespace poolwarden::process
