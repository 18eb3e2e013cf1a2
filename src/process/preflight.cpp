#include "process/preflight.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "process/elf_file.h"
#include "process/program_file.h"

namespace poolwarden::process {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

constexpr int kMostInterpreters = 5;  // of interpreters, in the kernel's exec_binprm()

bool may_execute(const struct stat& status, const LaunchPlan& plan) {
  if (!plan.identity) return (status.st_mode & 0111) != 0;
  const Credentials& who = *plan.identity;
  if (who.uid == 0) return S_ISDIR(status.st_mode) || (status.st_mode & 0111) != 0;
  if (who.uid == status.st_uid) return (status.st_mode & 0100) != 0;
  const bool in_group = who.gid == status.st_gid || std::find(who.groups.begin(), who.groups.end(),
                                                              status.st_gid) != who.groups.end();
  return (status.st_mode & (in_group ? 0010U : 0001U)) != 0;
}

using diagnosis::Obstacle;

struct Finding {
  std::string reason;  // empty: nothing was found
  Obstacle obstacle = Obstacle::None;
};

Finding explain_loader(const ElfFile& program, const std::string& directory) {
  const std::string& loader = program.interpreter;
  if (loader.empty() || exists(absolute_path(loader, directory))) return {};
  const auto own = read_elf("/proc/self/exe");
  const std::string why = own && !fit(own->header, program.header)
                              ? "no C library for " + machine_name(program.header) + " is installed"
                              : "it was built for another libc";
  return {"its loader " + loader + " does not exist: " + why, Obstacle::MissingLoader};
}

Finding explain_missing(const std::string& path, const std::string& directory,
                        int interpreters = 0);

Finding explain_script(const ScriptLine& line, const std::string& directory, int interpreters) {
  const std::string& name = line.interpreter;
  if (!exists(absolute_path(line.program(), directory))) {
    return {"its interpreter " + name +
                (line.has_windows_line_end ? "\\r does not exist: the file has Windows line ends"
                                           : " does not exist"),
            Obstacle::MissingInterpreter};
  }
  const Finding found =
      explain_missing(absolute_path(line.program(), directory), directory, interpreters + 1);
  if (found.reason.empty()) return {};
  return {"of its interpreter " + name + ": " + found.reason, found.obstacle};
}

Finding explain_missing(const std::string& path, const std::string& directory, int interpreters) {
  if (interpreters > kMostInterpreters) return {};
  for (const std::string& above : directories_above(path)) {
    if (!exists(above))
      return {"the directory " + above + " does not exist", Obstacle::MissingDirectory};
  }
  if (!exists(path)) return {};
  if (const auto line = script_line(read_head(path)))
    return explain_script(*line, directory, interpreters);
  const auto program = read_elf(path);
  return program ? explain_loader(*program, directory) : Finding();
}

Finding explain_forbidden(const std::string& path, const LaunchPlan& plan) {
  struct stat status {};
  for (const std::string& directory : directories_above(path)) {
    if (::stat(directory.c_str(), &status) == 0 && !may_execute(status, plan))
      return {"the directory " + directory + " may not be entered", Obstacle::BlockedDirectory};
  }
  if (::stat(path.c_str(), &status) < 0) return {};
  if (S_ISDIR(status.st_mode)) return {"it is a directory", Obstacle::IsDirectory};
  if (!may_execute(status, plan))
    return {"it may not be executed: chmod +x", Obstacle::NotExecutable};
  struct statvfs place {};
  if (::statvfs(path.c_str(), &place) == 0 && (place.f_flag & ST_NOEXEC) != 0)
    return {"its file system is mounted noexec", Obstacle::MountedNoexec};
  if (const auto line = script_line(read_head(path)))
    return {"its interpreter " + line->interpreter + " may not be executed",
            Obstacle::NotExecutable};
  return {};
}

}  // namespace

Result<std::string> find_program(const std::string& command,
                                 const std::map<std::string, std::string>& environment,
                                 const std::string& directory) {
  const auto missing = std::make_error_code(std::errc::no_such_file_or_directory);
  if (command.empty()) return Error{missing, "cannot run an empty command"};
  if (command.find('/') != std::string::npos) return command;
  const auto path = environment.find("PATH");
  const std::string places = path == environment.end() ? "" : path->second;
  std::istringstream stream(places);
  std::optional<std::string> not_executable;
  for (std::string place; std::getline(stream, place, ':');) {
    const std::string candidate =
        absolute_path(place.empty() ? "." : place, directory) + "/" + command;
    struct stat status {};
    if (::stat(candidate.c_str(), &status) < 0 || !S_ISREG(status.st_mode)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    not_executable = candidate;
  }
  if (not_executable) return *not_executable;  // exec will say why
  return Error{missing, "cannot find '" + command + "' in PATH " + places};
}

ExecFailure explain_exec_failure(const std::string& program, int error, const LaunchPlan& plan) {
  const std::string directory = plan.directory.value_or("");
  const std::string path = absolute_path(program, directory);
  Finding found;
  if (error == ENOENT) found = explain_missing(path, directory);
  if (error == EACCES) found = explain_forbidden(path, plan);
  if (found.reason.empty()) return {program};
  return {program + " (" + found.reason + ")", found.obstacle};
}

}  // namespace poolwarden::process
