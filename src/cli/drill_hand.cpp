// `drill-hand`: the process that does to a worker what waits for the kernel, where the supervisor
// may not. Descriptor 3 takes its complaint, if it has one.
//
//   drill-hand exit PID CODE
//   drill-hand oom PID CGROUP

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "process/inject_exit.h"
#include "process/oom_hog.h"
#include "process/process_table.h"

namespace poolwarden::cli {
namespace {

// It may have ended meanwhile, and its pid be somebody else's: a worker is our parent's child.
bool is_a_worker(pid_t pid) {
  const auto all = process::list_processes();
  return std::any_of(all.begin(), all.end(), [pid](const process::ProcessEntry& entry) {
    return entry.pid == pid && entry.parent == ::getppid();
  });
}

Result<void> do_it(const std::vector<std::string>& words) {
  const pid_t pid = std::atoi(words[1].c_str());
  if (!is_a_worker(pid)) return failure("worker process " + words[1] + " has just ended");
  if (words[0] == "exit") return process::inject_exit(pid, std::atoi(words[2].c_str()));
  return process::provoke_oom_kill(words[2], pid);
}

}  // namespace

int drill_hand_entry(const Words& words) {
  constexpr int kComplaint = 3;
  if (words.before.size() != 3) return kWrongUsage;
  const auto done = do_it(words.before);
  if (done) return kDone;
  const std::string& text = done.error().message;
  return ::write(kComplaint, text.data(), text.size()) < 0 ? kWrongUsage : kFailed;
}

}  // namespace poolwarden::cli
