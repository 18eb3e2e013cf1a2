// Whether a path can be reached by who looks, component by component.

#pragma once

#include <optional>
#include <string>

#include "doctor/check.h"

namespace poolwarden::doctor {

// What keeps whoever looks from `path`, links followed; absent: nothing does. `path` is absolute.
// `named_in`: where a wrong path is to be corrected.
std::optional<Check> way_blocked(const std::string& subject, const std::string& path,
                                 const std::string& named_in = "the configuration");

Check check_directory(const std::string& path);

// Where workers' sockets are made; it need not be there yet, what is above it has to be passable.
Check check_socket_directory(const std::string& runtime_directory);

// Whether who looks may make files in a directory. One that is missing will be made: with what it
// is in when that is missing too, or only if it is there.
enum class Above { IsMade, IsThere };
Check check_writable(const std::string& subject, const std::string& directory, Above above);

// Whether a core file gets where kernel.core_pattern says (core(5)). `directory`: the worker's.
Check check_core_place(const std::string& pattern, const std::string& directory);

// "-rw-r----- root www-data"; empty when there is no such file.
std::string describe_permissions(const std::string& path);

}  // namespace poolwarden::doctor
