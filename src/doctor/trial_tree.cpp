#include "doctor/trial_tree.h"

#include <sys/mman.h>
#include <unistd.h>

#include <sstream>

#include "cgroup/delegation.h"
#include "cgroup/kernel_files.h"
#include "loop/unique_fd.h"

namespace poolwarden::doctor {
namespace {

constexpr const char* kUnified = "0::";
constexpr const char* kInstance = "/poolwarden-";

cgroup::Tree open_tree() {
  const std::string name = "poolwarden-doctor-" + std::to_string(::getpid());
  cgroup::Places places;
  const std::string own = cgroup::read_text(places.self_cgroup).value_or("");
  const std::string outside = outside_of_supervisor_leaf(own);
  if (outside == own) return cgroup::Tree::open(places, name);
  const loop::UniqueFd text(::memfd_create("cgroup", MFD_CLOEXEC));
  places.self_cgroup = "/proc/self/fd/" + std::to_string(text.get());
  (void)cgroup::write_text(places.self_cgroup, outside);
  return cgroup::Tree::open(places, name);
}

}  // namespace

TrialTree::TrialTree() : tree_(open_tree()) {}

TrialTree::~TrialTree() { tree_.remove(); }

std::string outside_of_supervisor_leaf(const std::string& self_cgroup) {
  const std::string leaf = std::string("/") + cgroup::kSupervisorLeaf;
  std::string told;
  std::istringstream lines(self_cgroup);
  for (std::string line; std::getline(lines, line); told += line + "\n") {
    if (!line.starts_with(kUnified) || !line.ends_with(leaf)) continue;
    const std::string above = line.substr(0, line.size() - leaf.size());
    const auto instance = above.rfind('/');
    if (instance == std::string::npos || !above.substr(instance).starts_with(kInstance)) continue;
    line = above.substr(0, instance);
    if (line == kUnified) line += '/';
  }
  return told;
}

}  // namespace poolwarden::doctor
