// What /proc tells of one process. (proc(5))

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace poolwarden::metrics {

struct ProcessStat {
  char state = 'X';            // as proc(5) names it
  std::vector<double> fields;  // those after the state, as numbers; empty when there is no process

  // Nobody has collected it yet at most: it has no memory and no descriptors any more.
  bool has_ended() const { return fields.empty() || state == 'Z' || state == 'X'; }
};

// /proc/PID/stat. `folder`: "/proc/self", "/proc/4711".
ProcessStat read_stat(const std::string& folder);

// Index into ProcessStat::fields: proc(5) counts from 1, and the first three fields are not in it.
constexpr std::size_t stat_field(std::size_t number_in_manual) { return number_in_manual - 4; }

// Open file descriptors. Errors: no such process (ENOENT, ESRCH), not permitted (EACCES).
Result<std::uint64_t> count_open_fds(const std::string& folder);

// How many it may open (its soft limit); absent when there is no limit or no such process.
std::optional<std::uint64_t> fd_limit(const std::string& folder);

}  // namespace poolwarden::metrics
