#include "process/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <type_traits>

namespace poolwarden::process {
namespace {

constexpr std::size_t kPidDigits = 10;
constexpr int kLastCapability = 63;  // the kernel answers EINVAL above those that it knows
constexpr std::size_t kKernelSignalSet = 8;
constexpr unsigned kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC, since Linux 5.11
constexpr int kDescriptorsSearched = 65536;
// All zero is SIG_DFL and the empty set in the layout of every architecture.
constexpr char kDefault[64] = {};

// The kernel looks at whole registers: of an int, half of one may be anything.
template <typename Argument>
auto widened(Argument argument) {
  if constexpr (std::is_pointer_v<Argument>) {
    return argument;
  } else if constexpr (std::is_null_pointer_v<Argument>) {
    return 0L;
  } else {
    return static_cast<long>(argument);
  }
}

// The wrappers of libc do more than the call: setresuid(2) of glibc asks all threads of the
// parent, which are not here, and a sanitizer's take locks.
template <typename... Arguments>
long raw(long number, Arguments... arguments) {
  return ::syscall(number, widened(arguments)...);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> found;
  found.reserve(texts.size() + 1);
  for (const std::string& text : texts) found.push_back(const_cast<char*>(text.c_str()));
  found.push_back(nullptr);
  return found;
}

}  // namespace

ChildImage::ChildImage(const LaunchPlan& plan, int report)
    : plan_(plan),
      report_(report),
      parent_(static_cast<pid_t>(raw(SYS_getpid))),
      first_free_(3),
      parked_(plan.descriptors.size(), -1),
      argv_(pointers(plan.arguments)) {
  for (const PassedFd& passed : plan.descriptors)
    first_free_ = std::max(first_free_, passed.number + 1);
  passed_.assign(static_cast<std::size_t>(first_free_), 0);
  for (int standard = 0; standard < 3; ++standard) passed_[static_cast<std::size_t>(standard)] = 1;
  for (const PassedFd& passed : plan.descriptors)
    passed_[static_cast<std::size_t>(passed.number)] = 1;
  if (plan.oom_score_adj) oom_score_adj_ = std::to_string(*plan.oom_score_adj);
  for (const auto& [name, value] : plan.environment)
    environment_.emplace_back(name).append("=").append(value);
  const std::size_t others = environment_.size();
  for (const std::string& name : plan.pid_variables)
    environment_.push_back(name + "=" + std::string(kPidDigits, '\0'));
  envp_ = pointers(environment_);
  for (std::size_t i = others; i < environment_.size(); ++i)
    pid_places_.push_back(environment_[i].data() + environment_[i].size() - kPidDigits);
}

void ChildImage::run(bool born_in_cgroup) {
  enter_cgroups(born_in_cgroup);
  start_session();
  reset_signals();
  place_descriptors();
  close_others();
  limit();
  change_identity();
  tie_to_parent();
  if (plan_.directory) check(raw(SYS_chdir, plan_.directory->c_str()), ChildStep::Directory);
  if (plan_.task) do_task();
  tell_pid();
  raw(SYS_execve, plan_.program.c_str(), argv_.data(), envp_.data());
  fail(ChildStep::Exec, errno);
}

void ChildImage::fail(ChildStep step, int error) {
  const ChildReport report{step, error};
  raw(SYS_write, report_, &report, sizeof report);
  for (;;) raw(SYS_exit_group, 127);
}

void ChildImage::check(long outcome, ChildStep step) {
  if (outcome < 0) fail(step, errno);
}

void ChildImage::check_limit(long outcome, ChildStep step) {
  if (!plan_.limits_are_best_effort) check(outcome, step);
}

void ChildImage::enter_cgroups(bool born_in_cgroup) {
  // The v2 one first: it is the one by which all are killed.
  if (!born_in_cgroup && plan_.unified_file >= 0)
    check_limit(raw(SYS_write, plan_.unified_file, "0", 1), ChildStep::EnterCgroup);
  for (const int file : plan_.cgroup_files)
    check_limit(raw(SYS_write, file, "0", 1), ChildStep::EnterCgroup);
}

void ChildImage::start_session() {
  check(raw(SYS_setsid), ChildStep::Session);
  // From here on; set again after the change of identity, which clears it.
  tie_to_parent();
}

void ChildImage::tie_to_parent() {
  if (plan_.outlives_parent) return;
  check(raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), ChildStep::ParentDeath);
  // It may have died before that: then no signal is to come.
  if (raw(SYS_getppid) != parent_) fail(ChildStep::ParentDeath, ESRCH);
}

void ChildImage::reset_signals() {
  // exec keeps ignored signals ignored: SIGPIPE would be, for instance.
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    raw(SYS_rt_sigaction, signal, kDefault, nullptr, kKernelSignalSet);
  }
  // The parent blocked all: a handler of its own, run here, would write into pipes it shares.
  raw(SYS_rt_sigprocmask, SIG_SETMASK, kDefault, nullptr, kKernelSignalSet);
}

void ChildImage::place_descriptors() {
  // First all are lifted above the numbers in question, so that none is overwritten before its
  // turn; then each is put where it belongs, which also takes close-on-exec off.
  const long report = raw(SYS_fcntl, report_, F_DUPFD_CLOEXEC, first_free_);
  check(report, ChildStep::Descriptors);
  report_ = static_cast<int>(report);
  for (std::size_t i = 0; i < parked_.size(); ++i) {
    const long parked = raw(SYS_fcntl, plan_.descriptors[i].source, F_DUPFD_CLOEXEC, first_free_);
    check(parked, ChildStep::Descriptors);
    parked_[i] = static_cast<int>(parked);
  }
  for (std::size_t i = 0; i < parked_.size(); ++i)
    check(raw(SYS_dup3, parked_[i], plan_.descriptors[i].number, 0), ChildStep::Descriptors);
}

void ChildImage::close_others() {
  for (int number = 3; number < first_free_; ++number)
    if (!passed_[static_cast<std::size_t>(number)]) raw(SYS_close, number);
  // Marked rather than closed: the report pipe is among them, and exec closes it in time.
  if (raw(SYS_close_range, first_free_, ~0U, kCloseOnExec) == 0) return;
  rlimit limit{};
  raw(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
  const int end =
      static_cast<int>(std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(kDescriptorsSearched)));
  for (int number = first_free_; number < end; ++number)
    raw(SYS_fcntl, number, F_SETFD, FD_CLOEXEC);
}

void ChildImage::do_task() {
  // So that it is told from us in a list of processes.
  raw(SYS_prctl, PR_SET_NAME, plan_.program.c_str(), 0, 0, 0);
  // No exec will close them. The report pipe goes with them, as it does there.
  for (int number = 3; number < first_free_; ++number) raw(SYS_close, number);
  if (raw(SYS_close_range, first_free_, ~0U, 0) < 0)
    for (int number = first_free_; number < kDescriptorsSearched; ++number) raw(SYS_close, number);
  const int code = plan_.task();
  for (;;) raw(SYS_exit_group, code);
}

void ChildImage::limit() {
  if (plan_.open_files) {
    const rlimit limit{*plan_.open_files, *plan_.open_files};
    check_limit(raw(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr), ChildStep::OpenFiles);
  }
  if (plan_.core) {
    const rlimit limit{*plan_.core, *plan_.core};
    check_limit(raw(SYS_prlimit64, 0, RLIMIT_CORE, &limit, nullptr), ChildStep::Core);
  }
  if (plan_.affinity) {
    check_limit(raw(SYS_sched_setaffinity, 0, sizeof(cpu_set_t), &*plan_.affinity),
                ChildStep::Affinity);
  }
  if (oom_score_adj_.empty()) return;
  const long file = raw(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  raw(SYS_write, file, oom_score_adj_.data(), oom_score_adj_.size());
  raw(SYS_close, file);
}

void ChildImage::change_identity() {
  if (plan_.umask) raw(SYS_umask, *plan_.umask);
  if (plan_.capabilities) drop_bounding_set();
  if (plan_.capabilities && *plan_.capabilities != 0)
    check(raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0), ChildStep::Capabilities);
  if (plan_.identity) {
    const Credentials& who = *plan_.identity;
    check(raw(SYS_setgroups, who.groups.size(), who.groups.data()), ChildStep::Groups);
    check(raw(SYS_setresgid, who.gid, who.gid, who.gid), ChildStep::Group);
    check(raw(SYS_setresuid, who.uid, who.uid, who.uid), ChildStep::User);
  }
  if (plan_.capabilities) set_capabilities();
  if (plan_.no_new_privileges)
    check(raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ChildStep::NoNewPrivileges);
}

void ChildImage::drop_bounding_set() {
  for (int capability = 0; capability <= kLastCapability; ++capability) {
    const bool kept = (*plan_.capabilities >> capability & 1) != 0;
    if (kept || raw(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0) != 1) continue;
    if (raw(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    // Who may not drop it can gain it only from a set-user-ID file, which this forbids.
    if (errno == EPERM && plan_.no_new_privileges) continue;
    fail(ChildStep::Capabilities, errno);
  }
}

void ChildImage::set_capabilities() {
  const std::uint64_t kept = *plan_.capabilities;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2];
  for (int half = 0; half < 2; ++half) {
    const auto bits = static_cast<std::uint32_t>(kept >> (32 * half));
    sets[half] = {bits, bits, bits};
  }
  check(raw(SYS_capset, &header, sets), ChildStep::Capabilities);
  raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability <= kLastCapability; ++capability) {
    if ((kept >> capability & 1) == 0) continue;
    check(raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0),
          ChildStep::Capabilities);
  }
}

void ChildImage::tell_pid() {
  char digits[kPidDigits];
  std::size_t count = 0;
  for (long pid = raw(SYS_getpid); pid > 0 && count < kPidDigits; pid /= 10)
    digits[count++] = static_cast<char>('0' + pid % 10);
  for (char* place : pid_places_)
    for (std::size_t i = 0; i < count; ++i) place[i] = digits[count - 1 - i];
}

}  // namespace poolwarden::process
