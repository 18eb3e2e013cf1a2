// A process by what stays its own: a pid may be another's by the time it is used, a pidfd never is.

#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "loop/unique_fd.h"

namespace poolwarden::loop {

// Empty, with errno set, when there is no such process (ESRCH) or pidfd_open(2) is refused.
inline UniqueFd open_pidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<long>(pid), 0L)));
}

// Also when nobody has waited for it yet.
inline bool has_ended(const UniqueFd& pidfd) {
  pollfd end{pidfd.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) > 0;
}

}  // namespace poolwarden::loop
