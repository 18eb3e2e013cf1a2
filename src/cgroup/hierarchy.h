// Which cgroup hierarchies this process sees, and where in them it is: v2, v1, or both at once
// (hybrid). Told by the texts of /proc/self/mountinfo and /proc/self/cgroup.

#pragma once

#include <set>
#include <string>
#include <vector>

namespace poolwarden::cgroup {

// One cgroup: a directory of one hierarchy.
struct Group {
  std::string path;
  bool unified = false;               // v2
  std::set<std::string> controllers;  // those that can be used here

  bool has(const std::string& controller) const { return controllers.contains(controller); }
};

struct Hierarchy {
  Group own;          // the cgroup that this process is in
  std::string mount;  // the topmost directory that it can see
};

// The path is absolute within the file system that `mount_root` of it is shown at `mount_point`.
// In a container the two views differ: bind mounts show a part, cgroup namespaces rename.
std::string own_directory(const std::string& mount_root, const std::string& mount_point,
                          const std::string& path);

// At most one v2 hierarchy, which comes first, and those of v1 that have a controller of interest.
std::vector<Hierarchy> find_hierarchies(const std::string& mountinfo,
                                        const std::string& self_cgroup);

// The one of `groups` that has the controller, or null.
const Group* having(const std::vector<Group>& groups, const std::string& controller);

const Group* unified_of(const std::vector<Group>& groups);

}  // namespace poolwarden::cgroup
