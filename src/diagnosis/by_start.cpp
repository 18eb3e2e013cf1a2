// Workers that never ran: the step that failed, with what the errno means at that step.

#include <algorithm>
#include <cerrno>

#include "diagnosis/clue_text.h"
#include "diagnosis/exit_status.h"
#include "diagnosis/inquest.h"

namespace poolwarden::diagnosis {
namespace {

// Of execve(2), beyond the words that the errno has by itself.
struct ExecError {
  int error;
  Detail detail;
  const char* words;
  const char* next_step;
};

constexpr const char* kCorrectCommand = "Correct the pool's command, or install the program.";
constexpr const char* kMakeExecutable =
    "Make the program executable for the pool's user, with every directory above it.";

constexpr ExecError kExecErrors[] = {
    {ENOENT, Detail::MissingProgram, "", kCorrectCommand},
    {EACCES, Detail::NotExecutable, "", kMakeExecutable},
    {ENOEXEC, Detail::NotExecutable,
     "it is neither a program of this machine's architecture nor a script with a #! line",
     "Install the program for this machine's architecture, or begin the script with #!/bin/sh."},
    {E2BIG, Detail::None, "its arguments and environment together are too long",
     "Shorten the pool's environment or command: `ulimit -s` bounds a quarter of it."},
    {ETXTBSY, Detail::None, "its file is open for writing: it is being replaced",
     "Replace programs by renaming a new file over the old one; it is tried again."},
    {ELOOP, Detail::PathBlocked, "there are too many symbolic links on the way, or a circle",
     "Correct the symbolic links: `namei -l PATH` shows them."},
    {ENAMETOOLONG, Detail::MissingProgram, "its path is too long", kCorrectCommand},
    {ENOTDIR, Detail::PathBlocked, "a part of its path is a file and no directory",
     "Correct the pool's command: `namei -l PATH` shows which part it is."},
    {EPERM, Detail::NotExecutable,
     "it has file capabilities or a set-user-ID bit that cannot be granted here",
     "See `getcap PATH`: take the file capabilities off (setcap -r), or grant them to the "
     "container (docker run --cap-add)."},
    {EISDIR, Detail::MissingInterpreter, "its loader is a directory", "Install the program again."},
    {ELIBBAD, Detail::MissingInterpreter, "its loader is damaged", "Install the C library again."},
    {EINVAL, Detail::NotExecutable, "it is damaged: it names two loaders",
     "Install the program again."},
    {EIO, Detail::None, "it could not be read", "Look at the disk: dmesg."},
    {ENOMEM, Detail::None, "there was not enough memory", "Raise limits.memory, or free memory."},
    {EMFILE, Detail::None, "too many files are open", "Raise limits.open_files."},
    {ENFILE, Detail::None, "the system has too many files open", "Raise fs.file-max."},
};

std::string with(const NotStarted& end, const std::string& words) {
  return describe(end) + (words.empty() ? "" : ": " + words);
}

Diagnosis told(Detail detail, std::string sentence, std::string next_step) {
  Diagnosis made;
  made.cause = Cause::ExecFailed;
  made.detail = detail;
  made.sentence = std::move(sentence);
  made.next_step = std::move(next_step);
  return made;
}

// What stood in the way, where the one who looked for it has found more than the errno says.
std::optional<Diagnosis> by_obstacle(const NotStarted& end) {
  switch (end.obstacle) {
    case Obstacle::None:
      return std::nullopt;
    case Obstacle::MissingDirectory:
      return told(Detail::MissingProgram, describe(end),
                  "Correct the pool's command: a directory of its path does not exist.");
    case Obstacle::MissingInterpreter:
      return told(Detail::MissingInterpreter, describe(end),
                  "Install the interpreter, or correct the script's first line.");
    case Obstacle::MissingLoader:
      return told(Detail::MissingInterpreter, describe(end),
                  "Install the build for this system's C library (glibc or musl), or link it "
                  "statically.");
    case Obstacle::BlockedDirectory:
      return told(Detail::PathBlocked, describe(end),
                  "Let the pool's user pass through that directory: chmod +x, or another owner.");
    case Obstacle::NotExecutable:
      return told(Detail::NotExecutable, describe(end), kMakeExecutable);
    case Obstacle::IsDirectory:
      return told(Detail::NotExecutable, describe(end),
                  "Name the program in the pool's command, not its directory.");
    case Obstacle::MountedNoexec:
      return told(Detail::NotExecutable, describe(end),
                  "Put the program on a file system that is mounted without noexec.");
  }
  return std::nullopt;
}

Diagnosis of_exec(const NotStarted& end, const Inquest& inquest) {
  const auto& loader = inquest.evidence.loader;
  const auto foreign = std::find_if(loader.begin(), loader.end(), [](const LoaderFinding& it) {
    return !it.machine.empty() && !it.found.empty();
  });
  if (foreign != loader.end()) {
    return told(Detail::WrongArchitecture,
                with(end, foreign->found + " is for " + foreign->machine),
                "Install it for this machine's architecture, or build the image for it (docker "
                "build --platform).");
  }
  if (auto found = by_obstacle(end)) return *found;
  for (const ExecError& row : kExecErrors) {
    if (row.error == end.error) return told(row.detail, with(end, row.words), row.next_step);
  }
  return told(Detail::None, describe(end), "Correct the pool's command.");
}

Diagnosis of_directory(const NotStarted& end) {
  const bool is_blocked = end.error == EACCES;
  return told(is_blocked ? Detail::PathBlocked : Detail::MissingDirectory, describe(end),
              is_blocked ? "Let the pool's user enter the directory, with every directory above it."
                         : "Correct the pool's directory, or make it.");
}

// No errno: a name that no user or group has.
Diagnosis of_identity(const NotStarted& end) {
  const bool is_unknown = end.error == 0 || end.error == ENOENT || end.error == ESRCH;
  if (is_unknown) {
    return told(Detail::UnknownUser, describe(end),
                "Correct the pool's identity, or make the user in the image (useradd).");
  }
  if (end.error == EAGAIN) {
    return told(Detail::IdentityRefused, with(end, "that user has too many processes already"),
                "Raise RLIMIT_NPROC of that user (ulimit -u, LimitNPROC=).");
  }
  return told(
      Detail::IdentityRefused, describe(end),
      "Correct the pool's identity, or run poolwarden as a user who may become it: root, or "
      "with the capabilities setuid and setgid.");
}

Diagnosis of_cgroup(const NotStarted& end) {
  if (end.error == ENOENT || end.error == ENODEV) {
    return told(Detail::CgroupGone, with(end, "its cgroup was removed under it"),
                "Look for who removes cgroups below poolwarden's own; it is tried again.");
  }
  if (end.error == EBUSY) {
    return told(Detail::None, with(end, "a cgroup with processes in it may not have children"),
                "Start poolwarden in a cgroup of its own (systemd: Delegate=yes; docker run "
                "--cgroupns=private), or set containment: best_effort.");
  }
  if (end.error == EOPNOTSUPP) {
    return told(Detail::None, with(end, "its cgroup is of a threaded or invalid domain"),
                "Give poolwarden a cgroup of type domain, or set containment: best_effort.");
  }
  return told(
      Detail::None, describe(end),
      "Grant poolwarden a writable cgroup (v2, for limits.memory_high), or set containment: "
      "best_effort; `poolwarden doctor` says how.");
}

Diagnosis of_clone(const NotStarted& end, const Inquest& inquest) {
  const std::uint64_t hits = inquest.evidence.pids_limit_hits;
  if (hits > 0) {
    return told(Detail::PidsLimit, with(end, "limits.pids refused it"), "Raise limits.pids.");
  }
  return told(Detail::None, describe(end),
              end.error == ENOMEM
                  ? "There is no memory for another process: raise the container's memory limit."
                  : "The system cannot make another process: look at pids limits (docker run "
                    "--pids-limit, ulimit -u) and memory.");
}

// EINVAL of sched_setaffinity(2): the machine has none of these CPUs, or its cpuset does not.
Diagnosis of_limits(const NotStarted& end) {
  const bool is_affinity = end.what.find("limits.affinity") != std::string::npos;
  return told(Detail::None, describe(end),
              is_affinity && end.error == EINVAL
                  ? "Name CPUs that poolwarden may use (`grep Cpus_allowed_list "
                    "/proc/self/status` shows them), or set containment: best_effort."
                  : "Lower the limit, grant the capability sys_resource, or set containment: "
                    "best_effort.");
}

Diagnosis by_stage(const NotStarted& end, const Inquest& inquest) {
  switch (end.stage) {
    case SpawnStage::Exec:
      return of_exec(end, inquest);
    case SpawnStage::Directory:
      return of_directory(end);
    case SpawnStage::Identity:
      return of_identity(end);
    case SpawnStage::Cgroup:
      return of_cgroup(end);
    case SpawnStage::Limits:
      return of_limits(end);
    case SpawnStage::Clone:
      return of_clone(end, inquest);
    case SpawnStage::Session:
    case SpawnStage::Stdio:
      return told(Detail::None, describe(end),
                  "See whether descriptors (ulimit -n), disk and the runtime directory have room.");
  }
  return told(Detail::None, describe(end), "Correct the pool's command.");
}

// Whether trying again cannot help: files, rights, names and settings stay what they are until
// somebody changes them. Networks, devices and what is used up come back by themselves.
bool is_incurable(const NotStarted& end) {
  switch (end.error) {
    case 0:  // what no system call was asked for: no such user, an empty command
    case EPERM:
    case EACCES:
    case EROFS:
    case ENOEXEC:
    case ELIBBAD:
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case E2BIG:
    case EINVAL:
    case ERANGE:
    case ENOSYS:
    case EOPNOTSUPP:
      return true;
    case ENOENT:
      return end.stage != SpawnStage::Cgroup && end.stage != SpawnStage::Clone;  // made anew
    case ESRCH:  // of getpwnam(3): there is none of that name
      return end.stage == SpawnStage::Identity;
    default:
      return false;
  }
}

}  // namespace

Diagnosis judge_start(const NotStarted& end, const Inquest& inquest) {
  Diagnosis made = by_stage(end, inquest);
  made.incurable = is_incurable(end);
  return made;
}

}  // namespace poolwarden::diagnosis
