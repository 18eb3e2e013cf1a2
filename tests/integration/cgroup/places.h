// Machines as this one could be, for Tree::open().

#pragma once

#include <sys/mman.h>

#include <fstream>
#include <sstream>
#include <string>

#include "cgroup/kernel_files.h"
#include "cgroup/tree.h"

namespace poolwarden::cgroup {

// A container that has no cgroup to write in.
inline const Places kNoCgroups{"/dev/null", "/dev/null"};

// This machine without its v2 hierarchy, as it was before there was one.
inline Places only_v1() {
  static const std::string file =
      "/proc/self/fd/" + std::to_string(::memfd_create("mountinfo", MFD_CLOEXEC));
  std::istringstream mounts(read_text("/proc/self/mountinfo").value_or(""));
  std::ofstream written(file);
  for (std::string line; std::getline(mounts, line);)
    if (line.find(" - cgroup2 ") == std::string::npos) written << line << "\n";
  return {file, "/proc/self/cgroup"};
}

}  // namespace poolwarden::cgroup
