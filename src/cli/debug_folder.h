// Where debuggers and tracers write: a folder for each order, open to the worker's user alone.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "process/launch_plan.h"
#include "worker/worker_settings.h"

namespace poolwarden::cli {

// How `debug-hand` begins when it names a folder, which no complaint does.
inline constexpr const char* kFolderIs = "folder: ";

// A new one, "<place>/<instance>-debug/web-3", below /var/tmp or /tmp, whichever is on a disk (what
// is written to a file system in memory is charged to the worker's cgroup), else below
// `runtime_directory`. Errors list what was tried.
Result<std::string> make_debug_folder(const std::string& instance,
                                      const std::string& runtime_directory, const std::string& pool,
                                      const worker::Identity& identity);

// The one that was asked for, an absolute path; made if it is not there.
Result<void> take_debug_folder(const std::string& path, const worker::Identity& identity);

// Gives the folder `name` in `parent`, which we have just made, to its writer. An error when
// somebody who may write to `parent` has put another thing in its place.
Result<void> hand_over_folder(int parent, const std::string& name, const process::Credentials& to);

// One that make_debug_folder() made is needed no more: clear_debug_folders() removes it.
void discard_debug_folder(const std::string& path);

// Removes what was discarded below `place`, and of the others all but the last eight and those
// `in_use` (paths). What a worker has written there may take long to remove: this is for a process
// of its own.
void clear_debug_folders(const std::string& place, const std::vector<std::string>& in_use);

// A file of ours that workers' users may read, in a folder of ours.
Result<void> write_debug_file(const std::string& path, const std::string& text);

}  // namespace poolwarden::cli
