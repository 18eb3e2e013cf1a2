// What is legal but will hurt: deadlines whose sums do not fit, overlap that memory cannot hold.

#pragma once

#include <cstdint>
#include <vector>

#include "config/parse_settings.h"

namespace poolwarden::config {

// The machine as far as lint needs it; told, not asked.
struct Machine {
  std::uint64_t memory_bytes = 0;  // what this container may use; 0 = unknown
  std::uint32_t cpus = 1;
};

std::vector<Finding> lint_settings(const Settings& settings, const Machine& machine);

}  // namespace poolwarden::config
