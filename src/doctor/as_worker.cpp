#include "doctor/as_worker.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "diagnosis/exit_status.h"
#include "loop/pipe.h"
#include "process/child.h"

namespace poolwarden::doctor {
namespace {

// Until its other end is closed everywhere.
std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

// In the child, above which there is a copy of the parent's stack: nothing may be thrown into it.
int look_as_worker(const Look& look) noexcept {
  try {
    look(Teller(STDOUT_FILENO));
    return 0;
  } catch (...) {
    return 1;
  }
}

Error failed_step(const std::string& report, const process::LaunchPlan& plan) {
  process::ChildReport failed;
  std::memcpy(&failed, report.data(), sizeof failed);
  return errno_error(failed.error, process::subject_of(failed.step, plan));
}

// How it ended, if not well.
Result<void> end_of_worker(pid_t child) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED) < 0 && errno == EINTR) continue;
  if (info.si_code == CLD_EXITED && info.si_status == 0) return {};
  const std::string end = info.si_code == CLD_EXITED ? "exit code " + std::to_string(info.si_status)
                                                     : diagnosis::signal_name(info.si_status);
  return failure("cannot look as the worker: the child ended with " + end);
}

}  // namespace

Result<void> as_worker(process::LaunchPlan plan, const Teller& teller, const Look& look) {
  auto report = loop::make_pipe();
  if (!report) return report.error();
  plan.directory.reset();
  plan.descriptors = {{teller.descriptor(), STDOUT_FILENO}};
  plan.task = [&look] { return look_as_worker(look); };
  process::ChildImage image(plan, report->writing.get());
  const pid_t child = ::fork();
  if (child < 0) return errno_error(errno, "cannot fork");
  if (child == 0) image.run(false);
  report->writing.reset();
  const std::string failed = read_all(report->reading.get());
  const auto end = end_of_worker(child);
  if (failed.size() == sizeof(process::ChildReport)) return failed_step(failed, plan);
  return end;
}

}  // namespace poolwarden::doctor
