#include "doctor/trial_tree.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <sstream>

#include "cgroup/delegation.h"
#include "cgroup/kernel_files.h"
#include "loop/signals_blocked.h"
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

constexpr int kTime = SIGUSR1;  // to remove it: sent by doctor, or by the kernel when doctor ends

// In the child: Ctrl-C, which ends doctor, is for all processes of its terminal.
[[noreturn]] void remove_when_told(const cgroup::Tree& tree, pid_t doctor) noexcept {
  ::prctl(PR_SET_PDEATHSIG, kTime);
  // Whoever reads what doctor prints waits until nobody can print there.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, kTime);
  if (::getppid() == doctor) {
    while (::sigwaitinfo(&awaited, nullptr) < 0 && errno == EINTR) continue;
  }
  tree.remove();
  ::_exit(0);
}

}  // namespace

TrialTree::TrialTree() {
  const loop::SignalsBlocked until_it_has_a_remover;
  tree_ = open_tree();
  const pid_t doctor = ::getpid();
  remover_ = ::fork();
  if (remover_ == 0) remove_when_told(tree_, doctor);
}

TrialTree::~TrialTree() {
  if (remover_ < 0) {
    tree_.remove();
    return;
  }
  ::kill(remover_, kTime);
  while (::waitpid(remover_, nullptr, 0) < 0 && errno == EINTR) continue;
}

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
