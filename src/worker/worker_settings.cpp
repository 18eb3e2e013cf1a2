#include "worker/worker_settings.h"

namespace poolwarden::worker {

// The open_files, core and affinity of a worker are set by the process itself before exec.
bool needs_cgroup(const Limits& limits) {
  return limits.memory || limits.memory_high || limits.cpu || limits.pids;
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
