#include "cgroup/hierarchy.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

const std::set<std::string> kOfInterest = {"memory", "cpu", "cpuacct", "pids", "cpuset", "freezer"};
constexpr int kDirectoriesSearched = 4096;

struct Mount {
  std::string root, point;
  bool unified = false;
  std::set<std::string> controllers;  // v1 only
};

// Spaces in paths are written as \040.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(at + 1, 3), nullptr, 8));
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

std::set<std::string> split_commas(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> parts;
  for (std::string part; std::getline(stream, part, ',');) parts.insert(part);
  return parts;
}

std::set<std::string> intersection(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::set<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

// 38 31 0:35 / /sys/fs/cgroup/pids rw,relatime shared:7 - cgroup cgroup rw,pids
std::optional<Mount> parse_mount(const std::string& line) {
  const auto words = split_words(line);
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (words.size() < 6 || words.end() - dash < 4) return std::nullopt;
  Mount mount{unescaped(words[3]), unescaped(words[4]), dash[1] == "cgroup2", {}};
  if (mount.unified) return mount;
  if (dash[1] != "cgroup") return std::nullopt;
  mount.controllers = intersection(split_commas(dash[3]), kOfInterest);
  if (mount.controllers.empty()) return std::nullopt;
  return mount;
}

// A later mount on the same point hides the earlier one.
std::vector<Mount> parse_mounts(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    auto mount = parse_mount(line);
    if (!mount) continue;
    std::erase_if(mounts, [&](const Mount& other) { return other.point == mount->point; });
    mounts.push_back(std::move(*mount));
  }
  return mounts;
}

// Lines of "4:memory:/path"; the v2 one, "0::/path", is found under the empty name.
std::map<std::string, std::string> parse_own_paths(const std::string& self_cgroup) {
  std::map<std::string, std::string> paths;
  std::istringstream lines(self_cgroup);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (names.empty()) paths[""] = path;
    for (const std::string& name : split_commas(names)) paths[name] = path;
  }
  return paths;
}

bool lists_this_process(const std::string& directory) {
  const auto text = read_text(directory + "/cgroup.procs");
  if (!text) return false;
  const auto pids = split_words(*text);
  return std::find(pids.begin(), pids.end(), std::to_string(::getpid())) != pids.end();
}

std::string search(const std::string& directory, long depth, int& budget) {
  if (depth == 0) return lists_this_process(directory) ? directory : "";
  for (const std::string& below : subdirectories(directory)) {
    if (--budget < 0) return "";
    const std::string found = search(below, depth - 1, budget);
    if (!found.empty()) return found;
  }
  return "";
}

// How far down a path leads; ".." leads up.
long levels(const std::string& path) {
  long depth = 0;
  std::istringstream components(path);
  for (std::string component; std::getline(components, component, '/');)
    if (!component.empty()) depth += component == ".." ? -1 : 1;
  return depth;
}

// Where the mount shows more than our cgroup namespace does, its root reads "/../..": that many
// levels below it is our namespace's root, under names that only a search can tell.
std::string locate(const Mount& mount, const std::string& path) {
  if (mount.root.starts_with("/..")) {
    int budget = kDirectoriesSearched;
    const long depth = levels(path) - levels(mount.root);
    const std::string found = depth < 0 ? "" : search(mount.point, depth, budget);
    if (!found.empty()) return found;
  }
  const std::string own = own_directory(mount.root, mount.point, path);
  return is_directory(own) ? own : mount.point;
}

Hierarchy seen_through(const Mount& mount, const std::string& path) {
  Hierarchy seen{{locate(mount, path), mount.unified, mount.controllers}, mount.point};
  if (mount.unified) {
    const auto text = read_text(seen.own.path + "/cgroup.controllers");
    for (const auto& name : split_words(text.value_or(""))) seen.own.controllers.insert(name);
  }
  return seen;
}

bool is_writable(const Hierarchy& hierarchy) {
  return ::access(hierarchy.own.path.c_str(), W_OK) == 0;
}

}  // namespace

std::string own_directory(const std::string& mount_root, const std::string& mount_point,
                          const std::string& path) {
  if (path.empty() || path == "/" || path.starts_with("/..")) return mount_point;
  if (mount_root == "/") return mount_point + path;
  if (path == mount_root) return mount_point;
  if (path.starts_with(mount_root + "/")) return mount_point + path.substr(mount_root.size());
  return mount_point;
}

std::vector<Hierarchy> find_hierarchies(const std::string& mountinfo,
                                        const std::string& self_cgroup) {
  auto paths = parse_own_paths(self_cgroup);
  std::map<std::string, Hierarchy> chosen;  // by what tells hierarchies apart; "" is v2
  for (const Mount& mount : parse_mounts(mountinfo)) {
    const std::string key = mount.unified ? "" : *mount.controllers.begin();
    const Hierarchy seen = seen_through(mount, paths[key]);
    const auto before = chosen.find(key);
    if (before == chosen.end() || (!is_writable(before->second) && is_writable(seen)))
      chosen.insert_or_assign(key, seen);
  }
  std::vector<Hierarchy> found;
  for (auto& [key, hierarchy] : chosen) found.push_back(std::move(hierarchy));
  return found;
}

const Group* having(const std::vector<Group>& groups, const std::string& controller) {
  for (const Group& group : groups)
    if (group.has(controller)) return &group;
  return nullptr;
}

const Group* unified_of(const std::vector<Group>& groups) {
  for (const Group& group : groups)
    if (group.unified) return &group;
  return nullptr;
}

}  // namespace poolwarden::cgroup
