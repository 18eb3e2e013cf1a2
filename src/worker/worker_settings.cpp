#include "worker/worker_settings.h"

#include <algorithm>
#include <cstdlib>

#include "worker/placeholders.h"

namespace poolwarden::worker {

// The open_files, core and affinity of a worker are set by the process itself before exec.
// A cpu limit that is only watched is counted from /proc, too.
bool needs_cgroup(const Limits& limits) {
  const bool throttles = limits.cpu && limits.cpu_action == CpuAction::Throttle;
  return limits.memory || limits.memory_high || throttles || limits.cpu_weight || limits.pids;
}

std::uint32_t count_cpus(const std::string& list) {
  std::uint32_t count = 0;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string range = list.substr(at, end - at);
    const std::size_t dash = range.find('-');
    const unsigned long first = std::strtoul(range.c_str(), nullptr, 10);
    const unsigned long last =
        dash == std::string::npos ? first : std::strtoul(range.c_str() + dash + 1, nullptr, 10);
    count += static_cast<std::uint32_t>(last - first + 1);
    at = end + 1;
  }
  return count;
}

std::string expand(const std::string& text, const std::map<std::string, std::string>& environment) {
  return replace_names(text, [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  });
}

}  // namespace poolwarden::worker
