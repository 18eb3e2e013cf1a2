#include "doctor/kernel_facts.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "cgroup/kernel_files.h"
#include "loop/pidfd.h"
#include "loop/unique_fd.h"
#include "process/core_pattern.h"

namespace poolwarden::doctor {
namespace {

// Of a line "Seccomp:\t2".
int number_in_status(const std::string& key) {
  std::istringstream lines(cgroup::read_text("/proc/self/status").value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":")) return std::atoi(line.c_str() + key.size() + 1);
  return 0;
}

int pidfd_error() { return loop::open_pidfd(::getpid()) ? 0 : errno; }

// Opening tells of missing rights to the device, reading of the kernel's own refusal.
int kernel_log_error() {
  const loop::UniqueFd log(::open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!log) return errno;
  char line[8192];
  const ssize_t count = ::read(log.get(), line, sizeof line);
  return count < 0 && errno == EPERM ? errno : 0;
}

bool can_be_subreaper() {
  int before = 0;
  if (::prctl(PR_GET_CHILD_SUBREAPER, &before, 0, 0, 0) < 0) return false;
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) return false;
  return ::prctl(PR_SET_CHILD_SUBREAPER, before, 0, 0, 0) == 0;
}

}  // namespace

KernelFacts read_kernel_facts() {
  KernelFacts facts;
  facts.privileges = process::own_privileges();
  facts.known_capabilities = cgroup::read_count("/proc/sys/kernel/cap_last_cap").value_or(40) + 1;
  facts.is_first_process = ::getpid() == 1;
  facts.can_be_subreaper = can_be_subreaper();
  facts.no_new_privileges = number_in_status("NoNewPrivs") != 0;
  facts.seccomp_mode = number_in_status("Seccomp");
  facts.pidfd_error = pidfd_error();
  facts.swap = cgroup::read_meminfo("/proc/meminfo", "SwapTotal").value_or(0);
  facts.core_pattern = process::read_core_pattern().text;
  facts.ptrace_scope =
      static_cast<int>(cgroup::read_count("/proc/sys/kernel/yama/ptrace_scope").value_or(0));
  facts.kernel_log_error = kernel_log_error();
  return facts;
}

}  // namespace poolwarden::doctor
