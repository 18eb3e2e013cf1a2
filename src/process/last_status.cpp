#include "process/last_status.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

constexpr Duration kClockTick = std::chrono::milliseconds(50);  // it is looked at so rarely

Duration duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// "4711 (name) Z …": the 14th and 15th field, in clock ticks.
Duration own_cpu(const std::string& stat) {
  const auto name_end = stat.rfind(") ");
  if (name_end == std::string::npos) return {};
  std::istringstream rest(stat.substr(name_end + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  std::int64_t user = 0, system = 0;
  rest >> user >> system;
  const auto per_second = static_cast<std::int64_t>(::sysconf(_SC_CLK_TCK));
  return std::chrono::milliseconds((user + system) * 1000 / per_second);
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
  status.own_cpu = own_cpu(cgroup::read_text(directory + "/stat").value_or(""));
  const std::string limits = cgroup::read_text(directory + "/limits").value_or("");
  status.cpu_limit = find_limit(limits, "Max cpu time");
  status.core_limit = find_limit(limits, "Max core file size");
  return status;
}

bool is_over_cpu_limit(const LastStatus& status) {
  if (!status.cpu_limit || !status.cpu_limit->hard) return false;
  const Duration limit = std::chrono::seconds(*status.cpu_limit->hard);
  // The kernel compares whole clock ticks with it, and tells of the time that was measured: beside
  // others a process was ended at four fifths of a second.
  const Duration tolerance = std::clamp<Duration>(limit / 4, kClockTick, std::chrono::seconds(1));
  return status.own_cpu + tolerance >= limit;
}

}  // namespace poolwarden::process
