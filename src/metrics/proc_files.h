// What /proc tells of one process. (proc(5))

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace poolwarden::metrics {

// The fields of /proc/PID/stat after the command's name and the state, as numbers; empty when there
// is no such process. `folder`: "/proc/self", "/proc/4711".
std::vector<double> stat_fields(const std::string& folder);

// Index into stat_fields(): proc(5) counts from 1, and the first three fields are not in it.
constexpr std::size_t stat_field(std::size_t number_in_manual) { return number_in_manual - 4; }

// Open file descriptors. Errors: no such process (ENOENT, ESRCH), not permitted (EACCES).
Result<std::uint64_t> count_open_fds(const std::string& folder);

// How many it may open (its soft limit); absent when there is no limit or no such process.
std::optional<std::uint64_t> fd_limit(const std::string& folder);

}  // namespace poolwarden::metrics
