#include "process/launcher.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include <csignal>

#include "process/child.h"

namespace poolwarden::process {
namespace {

// For the time of the clone: no handler of ours may run in the child.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

struct Cloned {
  long pid = -1;
  int pidfd = -1;
  bool born_in_cgroup = false;
};

// Like fork(2): the child gets a copy of all memory, and goes on from here.
Cloned call_clone3(int cgroup) {
  Cloned cloned;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&cloned.pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
    cloned.born_in_cgroup = true;
  }
  cloned.pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  return cloned;
}

// Its first three arguments are the same on all architectures of Debian but s390x.
Cloned call_clone() {
  Cloned cloned;
  cloned.pid =
      ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, &cloned.pidfd, nullptr, nullptr);
  return cloned;
}

bool may_be_denied(int error) {
  switch (error) {
    case ENOSYS:  // Docker's seccomp filter, or a kernel before 5.3
    case EPERM:   // other filters
    case EACCES:  // no right to the common ancestor; the cgroup.procs file may still do
    case ENODEV:  // the cgroup was removed, or takes no process: who enters by the file is told so,
    case ENOENT:  // at the step that it is
    case EBUSY:
    case EBADF:
    case EINVAL:  // a kernel before 5.7 does not know CLONE_INTO_CGROUP
    case EOPNOTSUPP:
    case E2BIG:
      return true;
    default:
      return false;
  }
}

Cloned clone_somehow(const LaunchPlan& plan) {
  if (!plan.without_clone3) {
    const Cloned cloned = call_clone3(plan.unified_directory);
    if (cloned.pid >= 0 || !may_be_denied(errno)) return cloned;
  }
  return call_clone();
}

}  // namespace

Result<Launched> launch(const LaunchPlan& plan) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return errno_error(errno, "cannot make the report pipe");
  loop::UniqueFd report(ends[0]);
  const loop::UniqueFd write_end(ends[1]);
  ChildImage image(plan, write_end.get());

  const AllSignalsBlocked blocked;
  const Cloned cloned = clone_somehow(plan);
  if (cloned.pid == 0) image.run(cloned.born_in_cgroup);
  if (cloned.pid < 0) return errno_error(errno, "cannot clone");
  return Launched{static_cast<pid_t>(cloned.pid), loop::UniqueFd(cloned.pidfd), std::move(report)};
}

}  // namespace poolwarden::process
