// Where the workers' sockets live: a directory of this supervisor's own, short enough for socket
// paths, and one that the gateway's user can pass through.

#pragma once

#include <string>

#include "base/result.h"

namespace poolwarden::cli {

// The same for the same control socket, so that a later supervisor finds what an earlier one left:
// "poolwarden-1a2b3c4d". Also the name of its cgroup.
std::string instance_name(const std::string& control_path);

// Makes an empty directory of this name below /run, $XDG_RUNTIME_DIR, /tmp or /dev/shm, whichever
// first lets us; what an earlier supervisor left in it is removed. Errors list what was tried.
Result<std::string> make_runtime_directory(const std::string& name);

// Where that would be. Nothing is made or removed.
Result<std::string> place_of_runtime_directory(const std::string& name);

void remove_runtime_directory(const std::string& path);

}  // namespace poolwarden::cli
