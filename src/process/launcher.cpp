#include "process/launcher.h"

#include <linux/sched.h>
#include <sys/syscall.h>

#include <csignal>

#include "loop/pipe.h"
#include "loop/signals_blocked.h"
#include "process/child.h"

namespace poolwarden::process {
namespace {

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
  auto report = loop::make_pipe();
  if (!report) return report.error();
  ChildImage image(plan, report->writing.get());

  const loop::SignalsBlocked no_handler_of_ours_runs_in_the_child;
  const Cloned cloned = clone_somehow(plan);
  if (cloned.pid == 0) image.run(cloned.born_in_cgroup);
  if (cloned.pid < 0) return errno_error(errno, "cannot clone");
  return Launched{static_cast<pid_t>(cloned.pid), loop::UniqueFd(cloned.pidfd),
                  std::move(report->reading)};
}

}  // namespace poolwarden::process
