#include "doctor/trial_tree.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "base/clock.h"
#include "cgroup/delegation.h"
#include "loop/signals_blocked.h"

namespace poolwarden::doctor {
namespace {

using namespace std::chrono_literals;

constexpr int kTime = SIGUSR1;  // to remove it: sent by doctor, or by the kernel when doctor ends

// What doctor had started may be slow to die after it was killed; while it lives, it waits for us.
constexpr auto kWithDoctor = 2s;
constexpr auto kAfterIt = 60s;

// In the child: what ends doctor may be for all processes of its terminal, or of its group.
[[noreturn]] void remove_when_told(const cgroup::Tree& tree, pid_t doctor) noexcept {
  ::setpgid(0, 0);
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
  const pid_t doctor = ::getpid();
  const std::string name = cgroup::kTrialPrefix + std::to_string(doctor);
  const cgroup::Tree to_be_made = cgroup::Tree::find({}, name);
  // Before the first cgroup is made: SIGKILL may come at any time.
  remover_ = ::fork();
  if (remover_ == 0) remove_when_told(to_be_made, doctor);
  if (remover_ < 0) {
    tree_ = cgroup::Tree::open({}, name);
    return;
  }
  ::setpgid(remover_, remover_);
  tree_ = cgroup::Tree::open({}, name, remover_);
}

TrialTree::~TrialTree() {
  if (remover_ < 0) {
    tree_.remove();
    return;
  }
  ::kill(remover_, kTime);
  while (::waitpid(remover_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace poolwarden::doctor
