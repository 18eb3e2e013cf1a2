// The keeper: what outlives a supervisor that is killed, to end what it leaves. It waits on a pipe
// that only the supervisor holds open; when that closes, it kills the workers' cgroups and removes
// the sockets. It holds the control socket's lock meanwhile, so that a successor waits for it.
// Not needed as PID 1, whose end is the end of all.

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cgroup/tree.h"
#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/runtime_directory.h"
#include "process/process_table.h"

namespace poolwarden::cli {

int keeper_entry(const Words& words) {
  constexpr int kLifeline = 3;
  if (words.before.size() != 2) return kWrongUsage;
  // A terminal's Ctrl-C is for the supervisor; the keeper goes when it is gone.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(signal, SIG_IGN);
  char byte = 0;
  while (::read(kLifeline, &byte, 1) > 0 || errno == EINTR) errno = 0;

  const cgroup::Tree tree = cgroup::Tree::find({}, words.before[0]);
  tree.remove_leftovers();
  process::kill_marked(process::marker_prefix(words.before[1]));
  tree.remove();
  remove_runtime_directory(words.before[1]);
  return kDone;
}

}  // namespace poolwarden::cli
