// `post-mortem-hand`: reads the files that a worker which has ended left and needed, as its user
// and where the supervisor may not wait for a disk. Descriptor 3 takes what it finds
// (process/post_mortem_text.h).
//
//   post-mortem-hand -- core PID SIGNAL dumped|failed STARTED LIMIT|unlimited RIGHTS FOLDER
//   post-mortem-hand -- backtrace PID SIGNAL dumped|failed STARTED LIMIT|unlimited RIGHTS FOLDER
//   post-mortem-hand -- libraries PROGRAM FOLDER LD_LIBRARY_PATH
//   post-mortem-hand -- listener SOCKET PORT…
//
// RIGHTS: `anywhere` when the worker could write where others may not, else `as-allowed`.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "process/backtrace.h"
#include "process/core_file.h"
#include "process/core_pattern.h"
#include "process/library_search.h"
#include "process/listeners_in_proc.h"
#include "process/post_mortem_text.h"
#include "process/program_file.h"

namespace poolwarden::cli {
namespace {

using Texts = std::vector<std::string>;

constexpr int kReport = 3;
// Behind whoever serves; who reads files has soon read them, also where many want to run.
constexpr int kNiceOfReader = 10, kNiceOfDebugger = 19;
constexpr rlim_t kMostSeconds = 20, kLastSeconds = 22;  // SIGXCPU, then SIGKILL

// Whoever made the files it reads may have made them to hurt, and others of the same user may want
// to have a hand in what it tells.
void hold_back(bool runs_debugger) {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit time{kMostSeconds, kLastSeconds}, none{0, 0};
  ::setrlimit(RLIMIT_CPU, &time);
  ::setrlimit(RLIMIT_CORE, &none);
  const int nice = runs_debugger ? kNiceOfDebugger : kNiceOfReader;
  ::setpriority(PRIO_PROCESS, 0, std::max(nice, ::getpriority(PRIO_PROCESS, 0)));
  ::fcntl(kReport, F_SETFD, FD_CLOEXEC);  // its end is the end of the report
}

Result<process::CoreNotes> notes_of(const std::string& core) {
  const process::ReadAt reader = process::file_reader(core);
  if (!reader) return failure("cannot read " + core);
  return process::read_core(reader);
}

process::CoreOwner owner_of(const Texts& words) {
  process::CoreOwner owner;
  owner.pid = std::atoi(words[1].c_str());
  owner.signal = std::atoi(words[2].c_str());
  owner.has_dumped = words[3] == "dumped";
  owner.since = WallClock::from_time_t(std::atoll(words[4].c_str()));
  if (words[5] != "unlimited") owner.limit = std::strtoull(words[5].c_str(), nullptr, 10);
  owner.may_write_anywhere = words[6] == "anywhere";
  owner.directory = words[7];
  return owner;
}

diagnosis::CoreFile core_of(const process::CoreOwner& owner) {
  const auto may_be_its = [pid = owner.pid](const std::string& path) {
    const auto notes = notes_of(path);
    return !notes || notes->pid == 0 || notes->pid == pid;
  };
  return process::find_core_file(process::read_core_pattern(), owner, may_be_its);
}

std::optional<diagnosis::PortHolder> listener_of(const Texts& words) {
  std::vector<std::uint16_t> ports;
  for (std::size_t i = 2; i < words.size(); ++i)
    ports.push_back(static_cast<std::uint16_t>(std::atoi(words[i].c_str())));
  auto holder = process::find_port_holder(ports);
  if (!holder && !words[1].empty()) holder = process::find_socket_holder(words[1]);
  return holder;
}

struct Findings {
  diagnosis::Evidence evidence;
  int exit_code = kDone;
};

Findings look(const Texts& words) {
  Findings findings;
  diagnosis::Evidence& found = findings.evidence;
  if (words[0] == "listener") {
    found.port_holder = listener_of(words);
    return findings;
  }
  if (words[0] == "libraries") {
    found.loader =
        process::search_libraries({process::absolute_path(words[1], words[2]), words[3], words[2]});
    return findings;
  }
  const process::CoreOwner owner = owner_of(words);
  diagnosis::CoreFile core = core_of(owner);
  const auto notes = core.path.empty() ? failure("there is none") : notes_of(core.path);
  if (words[0] == "backtrace") {
    process::Backtrace told = process::backtrace_of_core(core.path, notes ? notes->program : "");
    found.backtrace = std::move(told.frames);
    found.why_no_backtrace = std::move(told.why_none);
    if (told.was_tool_killed) findings.exit_code = process::kToolWasKilled;
    return findings;
  }
  if (notes && core.bytes < notes->whole_size)
    core.why_none = process::why_cut_off(core.path, owner);
  found.core = core;
  if (!notes) return findings;
  found.fault = notes->fault;
  // What it sent itself names nobody.
  if (found.fault->sender_pid == std::atoi(words[1].c_str())) found.fault->sender_pid.reset();
  return findings;
}

bool is_understood(const Texts& words) {
  if (words.empty()) return false;
  if (words[0] == "libraries") return words.size() == 4;
  if (words[0] == "listener") return words.size() >= 2;
  return (words[0] == "core" || words[0] == "backtrace") && words.size() == 8;
}

}  // namespace

int post_mortem_hand_entry(const Words& words) {
  const Texts order = words.after_dashes.value_or(Texts());
  if (!is_understood(order)) return kWrongUsage;
  hold_back(order[0] == "backtrace");
  const Findings findings = look(order);
  const std::string text = process::post_mortem_text(findings.evidence);
  const bool was_told = ::write(kReport, text.data(), text.size()) >= 0;
  return was_told ? findings.exit_code : kFailed;
}

}  // namespace poolwarden::cli
