#include "process/last_status.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <sstream>

#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

Duration duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// RLIMIT_CPU is compared with the clock ticks that met the process while it ran: CPUCLOCK_PROF of
// linux/posix-timers.h, 0 in the last bits of the clock's number. What clock_getcpuclockid(3) and
// wait4(2) tell is the time that was measured: 0.8 s after 1 s of ticks on a busy machine, and
// 2.4 s where the process rested often.
Duration ticked_cpu(pid_t pid) {
  const auto clock = static_cast<clockid_t>(~static_cast<unsigned>(pid) << 3);
  timespec time{};
  if (::clock_gettime(clock, &time) < 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// "unlimited" is no number.
std::optional<std::uint64_t> number(const std::string& word) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<ResourceLimit> find_limit(const std::string& limits, const std::string& name) {
  const auto at = ("\n" + limits).find("\n" + name + "  ");
  if (at == std::string::npos) return std::nullopt;
  std::istringstream line(limits.substr(at + name.size()));
  std::string soft, hard;
  line >> soft >> hard;
  return ResourceLimit{number(soft), number(hard)};
}

LastStatus last_status(pid_t pid) {
  LastStatus status;
  siginfo_t ended{};
  rusage used{};
  // libc's waitid(3) has no place for the usage.
  const long answer = ::syscall(SYS_waitid, P_PID, static_cast<long>(pid), &ended,
                                WEXITED | WNOHANG | WNOWAIT, &used);
  if (answer != 0 || ended.si_pid != pid) return status;
  status.cpu_user = duration(used.ru_utime);
  status.cpu_system = duration(used.ru_stime);
  const std::string directory = "/proc/" + std::to_string(pid);
  status.ticked_cpu = ticked_cpu(pid);
  const std::string limits = cgroup::read_text(directory + "/limits").value_or("");
  status.cpu_limit = find_limit(limits, "Max cpu time");
  status.core_limit = find_limit(limits, "Max core file size");
  status.file_limit = find_limit(limits, "Max file size");
  return status;
}

bool is_over_cpu_limit(const LastStatus& status) {
  if (!status.cpu_limit || !status.cpu_limit->hard) return false;
  return status.ticked_cpu >= std::chrono::seconds(*status.cpu_limit->hard);
}

// With the signal the kernel raises the limit by a second, for the next one.
bool is_over_soft_cpu_limit(const LastStatus& status) {
  if (!status.cpu_limit || !status.cpu_limit->soft) return false;
  const std::uint64_t raised = *status.cpu_limit->soft;
  return raised > 1 && status.ticked_cpu >= std::chrono::seconds(raised - 1);
}

}  // namespace poolwarden::process
