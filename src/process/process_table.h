// Who descends from whom, read from /proc: finds a worker's processes where there is no cgroup to
// hold them together.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "process/known_pids.h"

namespace poolwarden::process {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  char state = '?';
};

std::vector<ProcessEntry> list_processes();

// By what the processes that a worker has started are known.
struct TreeSigns {
  pid_t root = 0;        // leads the session that it started in
  bool reaped = false;   // the root: somebody else may have its pid by now
  std::string marker;    // "NAME=value" of the environment, unlike any other worker's
  KnownPids known = {};  // children that are nobody's orphans
};

// Those alive: the root and its session, whoever has the marker, and all their descendants. One
// that left all three cannot be found.
std::vector<pid_t> find_tree(const TreeSigns& signs);

// Whether the root is there, or one that it left behind: orphans become our children, whatever
// cgroup they are in. Looks at those alone, where find_tree() reads all of /proc; as long as their
// parents live, others are not seen.
bool has_orphans(const TreeSigns& signs);

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
