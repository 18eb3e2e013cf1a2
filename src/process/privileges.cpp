#include "process/privileges.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }

std::uint64_t permitted() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return 0;
  return std::uint64_t{sets[1].permitted} << 32 | sets[0].permitted;
}

}  // namespace

Privileges own_privileges() {
  Privileges ours;
  ours.uid = ::geteuid();
  ours.capabilities = permitted();
  ours.oom_score_adj =
      std::atoi(cgroup::read_text("/proc/self/oom_score_adj").value_or("0").c_str());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) ours.open_files = limit.rlim_max;
  if (::getrlimit(RLIMIT_CORE, &limit) == 0) ours.core = limit.rlim_max;
  return ours;
}

std::uint64_t capabilities_to_run_others() {
  return bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_KILL) | bit(CAP_CHOWN);
}

std::uint64_t capabilities_to_look_after_others() {
  return capabilities_to_run_others() | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER);
}

bool may_run_others(const Privileges& ours) {
  return ours.is_root() && ours.lacks(capabilities_to_run_others()) == 0;
}

}  // namespace poolwarden::process
