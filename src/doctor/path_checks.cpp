#include "doctor/path_checks.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "process/program_file.h"

namespace poolwarden::doctor {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // what the kernel follows (path_resolution(7))
constexpr std::size_t kLongestWorkerPart = sizeof("/w/18446744073709551615/notify") - 1;

std::string owner_of(const struct stat& status) {
  const passwd* user = ::getpwuid(status.st_uid);
  std::string text = user ? user->pw_name : std::to_string(status.st_uid);
  const group* group = ::getgrgid(status.st_gid);
  return text + " " + (group ? group->gr_name : std::to_string(status.st_gid));
}

Check not_enterable(const std::string& subject, const std::string& path,
                    const std::string& directory) {
  return problem(subject, "cannot reach " + path,
                 "the directory " + directory +
                     " may not be entered by this user: " + describe_permissions(directory),
                 "chmod o+x " + directory + ", or chgrp and chmod g+x it for a group of this user");
}

// `directory` exists or is missing; what is above it was found passable.
std::optional<Check> cannot_pass(const std::string& subject, const std::string& path,
                                 const std::string& directory,
                                 const std::string& named_in = "the configuration") {
  struct stat status {};
  if (::stat(directory.c_str(), &status) < 0) {
    const int error = errno;
    if (error == ENOENT)
      return problem(subject, "cannot reach " + path,
                     "the directory " + directory + " does not exist",
                     "create it, or correct the path in " + named_in);
    return problem(subject, "cannot reach " + path, directory + ": " + std::strerror(error), "");
  }
  if (!S_ISDIR(status.st_mode))
    return problem(subject, "cannot reach " + path, directory + " is not a directory",
                   "correct the path in " + named_in);
  if (::access(directory.c_str(), X_OK) < 0) return not_enterable(subject, path, directory);
  return std::nullopt;
}

}  // namespace

std::string describe_permissions(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) return "";
  const char letters[] = "rwxrwxrwx";
  std::string text = S_ISDIR(status.st_mode) ? "d" : "-";
  for (unsigned bit = 0; bit < 9; ++bit)
    text += (status.st_mode >> (8 - bit) & 1) != 0 ? letters[bit] : '-';
  return text + " " + owner_of(status);
}

std::optional<Check> way_blocked(const std::string& subject, const std::string& path,
                                 const std::string& named_in) {
  std::string at = path;
  for (int links = 0; links < kMostLinks; ++links) {
    for (const std::string& directory : process::directories_above(at))
      if (auto blocked = cannot_pass(subject, path, directory, named_in)) return blocked;
    std::error_code none;
    const fs::path target = fs::read_symlink(at, none);
    if (none) return std::nullopt;
    at = (target.is_absolute() ? target : fs::path(at).parent_path() / target).string();
    struct stat status {};
    if (::lstat(at.c_str(), &status) < 0 && errno == ENOENT)
      return problem(subject, "cannot reach " + path,
                     "it is a link to " + at + ", which is missing",
                     "install what it points to, or correct the link");
  }
  return problem(subject, "cannot reach " + path, "its links lead in a circle",
                 "correct the links");
}

Check check_directory(const std::string& path) {
  const std::string subject = "directory";
  if (!path.starts_with('/'))
    return note(subject, path + " is relative to where poolwarden is started", "",
                "give the whole path");
  // With a slash at its end the directory itself is among those that have to be passed.
  auto blocked = way_blocked(subject, path.ends_with('/') ? path : path + "/");
  if (!blocked) return ok(subject, path);
  blocked->found = "cannot enter " + path;
  return *blocked;
}

Check check_socket_directory(const std::string& runtime_directory) {
  const std::string subject = "sockets";
  const std::size_t longest = runtime_directory.size() + kLongestWorkerPart;
  if (longest >= sizeof(sockaddr_un::sun_path))
    return problem(subject, "the path of sockets below " + runtime_directory + " would be too long",
                   "it may have 107 bytes, and would have up to " + std::to_string(longest),
                   "set XDG_RUNTIME_DIR to a shorter path");
  for (const std::string& directory : process::directories_above(runtime_directory + "/")) {
    if (!fs::exists(directory)) break;
    if (auto blocked = cannot_pass(subject, runtime_directory, directory)) return *blocked;
  }
  return ok(subject, runtime_directory);
}

Check check_writable(const std::string& subject, const std::string& directory, Above above) {
  std::error_code ignored;
  const fs::path wanted = fs::absolute(directory, ignored).lexically_normal();
  fs::path nearest = wanted;
  while (!fs::exists(nearest, ignored) && nearest != nearest.parent_path())
    nearest = nearest.parent_path();
  const bool is_direct = nearest == wanted || nearest == wanted.parent_path();
  if (above == Above::IsThere && !is_direct)
    return problem(subject, "cannot make " + directory,
                   "the directory " + wanted.parent_path().string() + " does not exist",
                   "create it, or name another one in the configuration");
  const std::string verb = nearest == wanted ? "cannot write to " : "cannot make ";
  if (!fs::is_directory(nearest, ignored))
    return problem(subject, verb + directory, nearest.string() + " is not a directory",
                   "name another one in the configuration");
  if (::access(nearest.c_str(), W_OK | X_OK) == 0) return ok(subject, directory);
  const int error = errno;
  return problem(
      subject, verb + directory,
      nearest.string() + ": " + std::strerror(error) + ": " + describe_permissions(nearest),
      "let poolwarden's own user write there, or name another one in the configuration");
}

Check check_core_place(const std::string& pattern, const std::string& directory) {
  const std::string subject = "core files";
  if (pattern.starts_with('|'))
    return note(subject, "go to a program, not to a file: " + pattern.substr(1),
                "kernel.core_pattern, which is the whole machine's",
                "look for them where that program keeps them; or, on the machine, sysctl "
                "kernel.core_pattern=core.%p");
  std::string place = pattern.starts_with('/') ? pattern.substr(0, pattern.rfind('/') + 1)
                      : directory.empty()      ? "."
                                               : directory;
  if (::access(place.c_str(), W_OK | X_OK) == 0) return ok(subject, pattern + " in " + place);
  return problem(subject, "cannot be written to " + place, describe_permissions(place),
                 "let the pool's user write there, or set `directory` to where it may");
}

}  // namespace poolwarden::doctor
