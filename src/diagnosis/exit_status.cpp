#include "diagnosis/exit_status.h"

#include <sys/wait.h>

#include <cstring>

namespace poolwarden::diagnosis {
namespace {

std::string meaning_of(int error) {
  const char* known = strerrordesc_np(error);
  return known ? known : "error " + std::to_string(error);
}

struct Describe {
  std::string operator()(const Exited& end) const {
    return "exited with code " + std::to_string(end.code);
  }
  std::string operator()(const Signaled& end) const {
    return "was killed by " + signal_name(end.signal) + (end.dumped_core ? " (core dumped)" : "");
  }
  std::string operator()(const NotStarted& end) const {
    std::string text = "could not be started (" + std::string(name(end.stage)) + ")";
    if (!end.what.empty()) text += ": " + end.what;
    if (end.error != 0) text += ": " + meaning_of(end.error);
    return text;
  }
};

}  // namespace

ExitStatus from_wait_status(int raw) {
  if (WIFSIGNALED(raw)) return Signaled{WTERMSIG(raw), WCOREDUMP(raw) != 0};
  return Exited{WEXITSTATUS(raw)};
}

std::string_view name(SpawnStage stage) {
  switch (stage) {
    case SpawnStage::Clone:
      return "clone";
    case SpawnStage::Cgroup:
      return "cgroup";
    case SpawnStage::Session:
      return "session";
    case SpawnStage::Stdio:
      return "stdio";
    case SpawnStage::Limits:
      return "limits";
    case SpawnStage::Identity:
      return "identity";
    case SpawnStage::Directory:
      return "directory";
    case SpawnStage::Exec:
      return "exec";
  }
  return "unknown";
}

std::string signal_name(int signal) {
  const char* abbreviation = sigabbrev_np(signal);
  return abbreviation ? std::string("SIG") + abbreviation : "signal " + std::to_string(signal);
}

std::string describe(const ExitStatus& status) { return std::visit(Describe{}, status); }

}  // namespace poolwarden::diagnosis
