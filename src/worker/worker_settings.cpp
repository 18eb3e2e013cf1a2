#include "worker/worker_settings.h"

#include <algorithm>
#include <cstdlib>

namespace poolwarden::worker {

// The open_files, core and affinity of a worker are set by the process itself before exec.
bool needs_cgroup(const Limits& limits) {
  return limits.memory || limits.memory_high || limits.cpu || limits.pids;
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
  std::string expanded;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    expanded.append(text, at, dollar - at);
    if (dollar == std::string::npos) break;
    const bool escaped = text.compare(dollar, 2, "$$") == 0;
    const bool opened = text.compare(dollar, 2, "${") == 0;
    const std::size_t close = opened ? text.find('}', dollar) : std::string::npos;
    if (close == std::string::npos) {
      expanded += '$';
      at = dollar + (escaped ? 2 : 1);
      continue;
    }
    const auto found = environment.find(text.substr(dollar + 2, close - dollar - 2));
    if (found != environment.end()) expanded += found->second;
    at = close + 1;
  }
  return expanded;
}

}  // namespace poolwarden::worker
