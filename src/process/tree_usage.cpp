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

}  // namespace

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
