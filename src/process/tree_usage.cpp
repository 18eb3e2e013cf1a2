#include "process/tree_usage.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>

#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

constexpr std::chrono::milliseconds kRecent{250};

struct Pages {
  std::uint64_t size = 0, resident = 0, shared = 0;
};

std::optional<Pages> pages_of(pid_t pid) {
  const auto text = cgroup::read_text("/proc/" + std::to_string(pid) + "/statm");
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  Pages pages;
  if (words >> pages.size >> pages.resident >> pages.shared) return pages;
  return std::nullopt;
}

// Of a process, and of its children that it has waited for: fields 14 to 17 of stat (proc(5)).
std::optional<std::uint64_t> clock_ticks_of(pid_t pid) {
  const auto text = cgroup::read_text("/proc/" + std::to_string(pid) + "/stat");
  if (!text || text->rfind(')') == std::string::npos) return std::nullopt;
  const auto fields = cgroup::split_words(text->substr(text->rfind(')') + 1));
  constexpr std::size_t kFirst = 11, kEnd = 15;  // the third field is the first after the name
  if (fields.size() < kEnd) return std::nullopt;
  std::uint64_t ticks = 0;
  for (std::size_t i = kFirst; i < kEnd; ++i) ticks += std::stoull(fields[i]);
  return ticks;
}

}  // namespace

std::optional<Duration> cpu_time_of(const std::vector<pid_t>& pids) {
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  std::optional<std::uint64_t> ticks;
  for (const pid_t pid : pids)
    if (const auto used = clock_ticks_of(pid)) ticks = ticks.value_or(0) + *used;
  if (!ticks) return std::nullopt;
  return std::chrono::microseconds(*ticks * 1'000'000 / per_second);
}

worker::Usage usage_of(const std::vector<pid_t>& pids) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  worker::Usage usage;
  for (const pid_t pid : pids) {
    const auto pages = pages_of(pid);
    if (!pages) continue;
    const std::uint64_t own = pages->resident - std::min(pages->resident, pages->shared);
    usage.memory = usage.memory.value_or(0) + own * page;
    usage.virtual_memory = std::max(usage.virtual_memory.value_or(0), pages->size * page);
  }
  return usage;
}

std::vector<pid_t> RecentProcesses::tree_of(pid_t root, TimePoint now) {
  if (entries_.empty() || now - read_ >= kRecent) {
    entries_ = list_processes();
    read_ = now;
  }
  return tree_below(entries_, root);
}

}  // namespace poolwarden::process
