// `debug-hand`: what stands between the supervisor and a worker whose start is debugged.
//
//   debug-hand attach TOOL WORD... -- COMMAND WORD...   becomes COMMAND, with TOOL attached to it
//   debug-hand try TOOL FOLDER                          whether that would work, as the worker's
//                                                       user; descriptor 3 takes the complaint
//   debug-hand clear PLACE -- FOLDER...                 makes room below PLACE, but for these

#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <iostream>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/debug_folder.h"
#include "process/debugger_attach.h"

namespace poolwarden::cli {
namespace {

constexpr int kNotFound = 127;  // as a shell has it
constexpr int kNotExecutable = 126;

Result<void> try_it(const std::string& tool, const std::string& folder) {
  if (!tool.empty() && ::access(tool.c_str(), X_OK) < 0)
    return errno_error(errno, "the worker's user may not execute " + tool);
  if (::access(folder.c_str(), W_OK | X_OK) < 0)
    return errno_error(errno, "the worker's user may not write to " + folder);
  return tool.empty() ? Result<void>() : process::try_tracing();
}

int attach(const Words& words) {
  if (!words.after_dashes) return kWrongUsage;
  const std::vector<std::string> tool(words.before.begin() + 1, words.before.end());
  const Error error = process::exec_debugged(tool, *words.after_dashes);
  std::cerr << "poolwarden: " << error.message << std::endl;
  return error.code == std::errc::no_such_file_or_directory ? kNotFound : kNotExecutable;
}

int clear(const Words& words) {
  ::setpriority(PRIO_PROCESS, 0, 19);
  clear_debug_folders(words.before[1], words.after_dashes.value_or(std::vector<std::string>()));
  return kDone;
}

}  // namespace

int debug_hand_entry(const Words& words) {
  constexpr int kComplaint = 3;
  if (words.before.size() >= 2 && words.before[0] == "attach") return attach(words);
  if (words.before.size() == 2 && words.before[0] == "clear") return clear(words);
  if (words.before.size() != 3 || words.before[0] != "try") return kWrongUsage;
  const auto works = try_it(words.before[1], words.before[2]);
  if (works) return kDone;
  const std::string& text = works.error().message;
  return ::write(kComplaint, text.data(), text.size()) < 0 ? kWrongUsage : kFailed;
}

}  // namespace poolwarden::cli
