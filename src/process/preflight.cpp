#include "process/preflight.h"

#include <elf.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "process/program_file.h"

namespace poolwarden::process {
namespace {

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// The dynamic loader that a program asks for; it is missing when the program is of another libc.
std::optional<std::string> elf_loader(const std::string& head) {
  if (head.size() < sizeof(Elf64_Ehdr) || !head.starts_with(ELFMAG)) return std::nullopt;
  if (head[EI_CLASS] != ELFCLASS64) return std::nullopt;
  Elf64_Ehdr header;
  std::copy_n(head.data(), sizeof header, reinterpret_cast<char*>(&header));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const std::size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
    if (at + sizeof(Elf64_Phdr) > head.size()) break;
    Elf64_Phdr part;
    std::copy_n(head.data() + at, sizeof part, reinterpret_cast<char*>(&part));
    if (part.p_type != PT_INTERP || part.p_offset >= head.size()) continue;
    return std::string(head.c_str() + part.p_offset);
  }
  return std::nullopt;
}

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

Finding explain_missing(const std::string& path) {
  for (const std::string& directory : directories_above(path)) {
    if (!exists(directory))
      return {"the directory " + directory + " does not exist", Obstacle::MissingDirectory};
  }
  if (!exists(path)) return {};
  const std::string head = read_head(path);
  if (const auto line = script_line(head)) {
    return {"its interpreter " + line->interpreter +
                (line->has_windows_line_end ? "\\r does not exist: the file has Windows line ends"
                                            : " does not exist"),
            Obstacle::MissingInterpreter};
  }
  if (const auto loader = elf_loader(head)) {
    return {"its loader " + *loader + " does not exist: it was built for another libc",
            Obstacle::MissingLoader};
  }
  return {};
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
  const std::string path = absolute_path(program, plan.directory.value_or(""));
  Finding found;
  if (error == ENOENT) found = explain_missing(path);
  if (error == EACCES) found = explain_forbidden(path, plan);
  if (found.reason.empty()) return {program};
  return {program + " (" + found.reason + ")", found.obstacle};
}

}  // namespace poolwarden::process
