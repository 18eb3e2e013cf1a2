// Reading and writing the small text files by which the kernel shows a cgroup.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace poolwarden::cgroup {

// Absent when it cannot be read: a missing file and a removed cgroup are the same to a reader.
std::optional<std::string> read_text(const std::string& path);

Result<void> write_text(const std::string& path, const std::string& text);

// The number in the file; absent for "max" too, which says that there is none.
std::optional<std::uint64_t> read_count(const std::string& path);

// The number in the line "key number", as in memory.stat, without reading all the others.
std::optional<std::uint64_t> read_key(const std::string& path, const std::string& key);

// All such lines.
std::map<std::string, std::uint64_t> read_keyed(const std::string& path);

// Bytes, of a line such as "SwapTotal:  1048576 kB" of /proc/meminfo.
std::optional<std::uint64_t> read_meminfo(const std::string& path, const std::string& key);

std::vector<std::string> split_words(const std::string& text);

bool is_directory(const std::string& path);

// The paths of the directories directly below.
std::vector<std::string> subdirectories(const std::string& path);

// Already being there is no error.
Result<void> make_directory(const std::string& path);

}  // namespace poolwarden::cgroup
