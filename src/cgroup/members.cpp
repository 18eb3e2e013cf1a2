#include "cgroup/members.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>

#include "cgroup/freezer.h"
#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

constexpr int kPasses = 20;  // a fork bomb has more; whoever confirms the end kills again

void collect(const std::string& directory, std::vector<int>& pids) {
  for (const std::string& word : split_words(read_text(directory + "/cgroup.procs").value_or(""))) {
    int pid = 0;
    std::from_chars(word.data(), word.data() + word.size(), pid);
    if (pid > 0 && pid != ::getpid()) pids.push_back(pid);
  }
  for (const std::string& below : subdirectories(directory)) collect(below, pids);
}

bool is_populated(const Group& group) {
  if (group.unified) {
    const auto events = read_keyed(group.path + "/cgroup.events");
    if (const auto found = events.find("populated"); found != events.end())
      return found->second != 0;
  }
  return !members(group.path).empty();
}

bool signal_all(const Group& group) {
  bool any = false;
  for (const int pid : members(group.path)) any |= ::kill(pid, SIGKILL) == 0;
  return any;
}

bool use_kill_file(const std::vector<Group>& groups) {
  const Group* unified = unified_of(groups);
  return unified && write_text(unified->path + "/cgroup.kill", "1").has_value();
}

}  // namespace

std::vector<int> members(const std::string& directory) {
  std::vector<int> pids;
  collect(directory, pids);
  return pids;
}

bool has_members(const std::vector<Group>& groups) {
  for (const Group& group : groups)
    if (is_populated(group)) return true;
  return false;
}

Result<void> kill_members(const std::vector<Group>& groups) {
  if (groups.empty()) return failure("cannot kill a cgroup: there is none");
  // A child enters the v2 cgroup before those of v1, and nobody leaves by himself, so it holds
  // everybody that the others do.
  if (use_kill_file(groups)) return {};
  // While frozen nobody can fork, so one pass sees everybody.
  (void)freeze(groups);
  bool any = true;
  for (int pass = 0; any && pass < kPasses; ++pass) {
    any = false;
    for (const Group& group : groups) any |= signal_all(group);
    // Frozen processes of v1 die only when thawed; those of v2 at once.
    if (pass == 0) thaw(groups);
  }
  return {};
}

Result<void> remove_group(const std::string& directory) {
  for (const std::string& below : subdirectories(directory)) (void)remove_group(below);
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
  return errno_error(errno, "cannot remove cgroup " + directory);
}

}  // namespace poolwarden::cgroup
