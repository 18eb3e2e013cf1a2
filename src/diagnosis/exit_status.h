// How a process ended, as waitid(2) tells it, with nothing lost: `exit 9` and `kill -9` differ.

#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace poolwarden::diagnosis {

struct Exited {
  int code = 0;
  bool operator==(const Exited&) const = default;
};

struct Signaled {
  int signal = 0;
  bool dumped_core = false;
  bool operator==(const Signaled&) const = default;
};

// The steps of the child between clone and exec, in the order in which they are done.
enum class SpawnStage {
  Clone,      // no process came to be
  Cgroup,     // entering its cgroup
  Session,    // a session of its own, the parent-death signal, signal dispositions
  Stdio,      // output pipes and descriptors
  Limits,     // rlimits, oom_score_adj, CPU affinity
  Identity,   // groups, user, capabilities, no_new_privs
  Directory,  // the working directory, umask
  Exec,
};

// What was found in the way of exec, beyond its errno.
enum class Obstacle {
  None,              // nothing was found, or looked for
  MissingDirectory,  // of the path
  MissingInterpreter,
  MissingLoader,     // of another C library
  BlockedDirectory,  // it may not be passed
  NotExecutable,
  IsDirectory,
  MountedNoexec,
};

// The program never ran: `stage` is the step that failed with `error` (an errno). `what` is what
// that step worked on: the program, the directory, the user.
struct NotStarted {
  SpawnStage stage = SpawnStage::Exec;
  int error = 0;
  std::string what;
  Obstacle obstacle = Obstacle::None;
  bool operator==(const NotStarted&) const = default;
};

using ExitStatus = std::variant<Exited, Signaled, NotStarted>;

// `raw` is the status that waitpid(2) filled in, not an exit code.
ExitStatus from_wait_status(int raw);

std::string_view name(SpawnStage stage);  // "exec", "identity"…
std::string signal_name(int signal);      // "SIGSEGV", or "signal 70"

// "exited with code 3", "was killed by SIGSEGV (core dumped)", "could not be started: …"
std::string describe(const ExitStatus& status);

}  // namespace poolwarden::diagnosis
