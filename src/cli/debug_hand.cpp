// `debug-hand`: what stands between the supervisor and a worker whose start is debugged.
//
//   debug-hand attach TOOL WORD... -- COMMAND WORD...   becomes COMMAND, with TOOL attached to it
//   debug-hand try TOOL FOLDER                          whether that would work, as the worker's
//                                                       user; descriptor 3 takes the complaint
//   debug-hand make INSTANCE RUNTIME-DIRECTORY POOL -- USER GROUP...
//   debug-hand take FOLDER -- USER GROUP...             a folder for what the tool writes;
//                                                       descriptor 3 takes kFolderIs and its path,
//                                                       or the complaint
//   debug-hand clear PLACE [DISCARDED] -- FOLDER...     makes room below PLACE, but for these
//
// What touches a disk that may be anybody's is done here: the supervisor waits for none.

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

// A user without a name: who we are.
worker::Identity identity_of(const Words& words) {
  std::vector<std::string> groups = words.after_dashes.value_or(std::vector<std::string>());
  worker::Identity identity;
  if (groups.empty()) return identity;
  if (!groups.front().empty()) identity.user = groups.front();
  groups.erase(groups.begin());
  identity.groups = std::move(groups);
  return identity;
}

Result<std::string> make(const Words& words) {
  return make_debug_folder(words.before[1], words.before[2], words.before[3], identity_of(words));
}

Result<std::string> take(const Words& words) {
  const std::string& folder = words.before[1];
  if (auto taken = take_debug_folder(folder, identity_of(words)); !taken) return taken.error();
  return folder;
}

bool answer(const std::string& text) {
  constexpr int kComplaint = 3;
  return ::write(kComplaint, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int tell(const Result<std::string>& folder) {
  if (!folder) return answer(folder.error().message) ? kFailed : kWrongUsage;
  return answer(kFolderIs + *folder) ? kDone : kFailed;
}

int clear(const Words& words) {
  if (words.before.size() == 3) discard_debug_folder(words.before[2]);
  ::setpriority(PRIO_PROCESS, 0, 19);
  clear_debug_folders(words.before[1], words.after_dashes.value_or(std::vector<std::string>()));
  return kDone;
}

}  // namespace

int debug_hand_entry(const Words& words) {
  const std::size_t count = words.before.size();
  const std::string deed = count == 0 ? "" : words.before[0];
  if (deed == "attach" && count >= 2) return attach(words);
  if (deed == "make" && count == 4) return tell(make(words));
  if (deed == "take" && count == 2) return tell(take(words));
  if (deed == "clear" && (count == 2 || count == 3)) return clear(words);
  if (deed != "try" || count != 3) return kWrongUsage;
  const auto works = try_it(words.before[1], words.before[2]);
  if (works) return kDone;
  return answer(works.error().message) ? kFailed : kWrongUsage;
}

}  // namespace poolwarden::cli
