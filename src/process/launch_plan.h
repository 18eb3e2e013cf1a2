// All that a child does between clone and exec, as plain values decided beforehand by the parent.

#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace poolwarden::process {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
};

struct PassedFd {
  int source = -1;  // stays the parent's
  int number = -1;  // what the child finds it under
};

struct LaunchPlan {
  std::string program;                 // a path; nothing is searched for
  std::vector<std::string> arguments;  // with argument 0
  std::map<std::string, std::string> environment;
  std::vector<std::string> pid_variables;  // added with the child's pid, which only it can know

  // In place of `program`: what the child does then; its result is the exit code. It may only make
  // system calls, and use memory that was there before the clone.
  std::function<int()> task = {};

  // cgroup.procs files to write "0" to, and the v2 cgroup to be born in (by directory; by its
  // cgroup.procs file where clone3(2) is denied).
  std::vector<int> cgroup_files;
  int unified_directory = -1;
  int unified_file = -1;

  // 0, 1 and 2 are inherited when they are not named here; every other descriptor is closed.
  std::vector<PassedFd> descriptors;

  std::optional<std::uint64_t> open_files, core;  // rlimits
  std::optional<int> oom_score_adj;               // best effort
  std::optional<cpu_set_t> affinity;

  std::optional<unsigned> umask;
  std::optional<Credentials> identity;        // absent: as the parent
  std::optional<std::uint64_t> capabilities;  // a set of bits; absent: as the kernel leaves them
  bool no_new_privileges = false;
  std::optional<std::string> directory;
  bool outlives_parent = false;  // else it is killed when the parent's spawning thread ends

  // What cannot be limited is left unlimited; otherwise it is a failure.
  bool limits_are_best_effort = false;

  // As a container runtime's seccomp filter does it (Docker: ENOSYS): goes straight to clone(2).
  bool without_clone3 = false;
};

}  // namespace poolwarden::process
