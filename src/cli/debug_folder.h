// Where debuggers and tracers write: a folder for each order, open to the worker's user alone.

#pragma once

#include <string>

#include "base/result.h"
#include "worker/worker_settings.h"

namespace poolwarden::cli {

// A new one, "<place>/<instance>-debug/web-3", below /var/tmp or /tmp, whichever is on a disk (what
// is written to a file system in memory is charged to the worker's cgroup), else below
// `runtime_directory`. Of one instance the last eight stay. Errors list what was tried.
Result<std::string> make_debug_folder(const std::string& instance,
                                      const std::string& runtime_directory, const std::string& pool,
                                      const worker::Identity& identity);

// The one that was asked for; made if it is not there.
Result<void> take_debug_folder(const std::string& path, const worker::Identity& identity);

// Of the worker's user, in a folder of his.
Result<void> write_debug_file(const std::string& path, const std::string& text);

}  // namespace poolwarden::cli
