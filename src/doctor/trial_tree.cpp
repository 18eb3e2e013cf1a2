#include "doctor/trial_tree.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <sstream>

#include "base/clock.h"
#include "cgroup/delegation.h"
#include "cgroup/kernel_files.h"
#include "loop/signals_blocked.h"
#include "loop/unique_fd.h"

namespace poolwarden::doctor {
namespace {

using namespace std::chrono_literals;

constexpr const char* kUnified = "0::";
constexpr const char* kInstance = "/poolwarden-";

// Where the tree is to be. The kernel's own text will not do inside of a supervisor's leaf.
class Site {
 public:
  Site() {
    const std::string own = cgroup::read_text(places_.self_cgroup).value_or("");
    const std::string outside = outside_of_supervisor_leaf(own);
    if (outside == own) return;
    text_ = loop::UniqueFd(::memfd_create("cgroup", MFD_CLOEXEC));
    places_.self_cgroup = "/proc/self/fd/" + std::to_string(text_.get());
    (void)cgroup::write_text(places_.self_cgroup, outside);
  }

  cgroup::Tree find() const { return cgroup::Tree::find(places_, name_); }
  cgroup::Tree open(std::optional<pid_t> companion) const {
    return cgroup::Tree::open(places_, name_, companion);
  }

 private:
  const std::string name_ = "poolwarden-doctor-" + std::to_string(::getpid());
  cgroup::Places places_;
  loop::UniqueFd text_;
};

constexpr int kTime = SIGUSR1;  // to remove it: sent by doctor, or by the kernel when doctor ends

// What doctor had started may be slow to die after it was killed; while it lives, it waits for us.
constexpr auto kWithDoctor = 2s;
constexpr auto kAfterIt = 60s;

// In the child: what ends doctor may be for all processes of its terminal, or of its group.
[[noreturn]] void remove_when_told(const cgroup::Tree& tree, pid_t doctor) noexcept {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, kTime);
  // Whoever reads what doctor prints waits until nobody can print there.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
  sigset_t awaited;
  ::sigemptyset(&awaited);
  ::sigaddset(&awaited, kTime);
  if (::getppid() == doctor) {
    while (::sigwaitinfo(&awaited, nullptr) < 0 && errno == EINTR) continue;
  }
  const TimePoint limit = Clock::now() + (::getppid() == doctor ? kWithDoctor : kAfterIt);
  while (!tree.remove() && Clock::now() < limit) ::usleep(2'000);
  ::_exit(0);
}

}  // namespace

TrialTree::TrialTree() {
  const loop::SignalsBlocked until_it_is_made;
  const Site site;
  const cgroup::Tree to_be_made = site.find();
  const pid_t doctor = ::getpid();
  // Before the first cgroup is made: SIGKILL may come at any time.
  remover_ = ::fork();
  if (remover_ == 0) remove_when_told(to_be_made, doctor);
  tree_ = site.open(remover_ < 0 ? std::nullopt : std::optional(remover_));
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
