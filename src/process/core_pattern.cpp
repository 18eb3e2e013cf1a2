#include "process/core_pattern.h"

#include <glob.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "base/clean_text.h"
#include "base/units.h"
#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

constexpr std::uint64_t kLeast =
    4096;  // the kernel begins no core of a lower limit (ELF_EXEC_PAGESIZE)

std::string line_of(const std::string& path) {
  std::istringstream text(cgroup::read_text(path).value_or(""));
  std::string line;
  std::getline(text, line);
  return line;
}

// As glob(7) takes it for itself alone.
void append_literal(std::string& pattern, char c) {
  if (std::strchr("*?[\\", c) != nullptr) pattern += '\\';
  pattern += c;
}

std::string parent_directory(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_full(const std::string& directory) {
  struct statvfs place {};
  if (::statvfs(directory.c_str(), &place) < 0) return false;
  return (::geteuid() == 0 ? place.f_bfree : place.f_bavail) == 0;  // the rest is kept for root
}

std::string why_not_there(const std::string& directory, const CoreOwner& owner) {
  struct stat status {};
  const std::string cannot_look =
      "who looks for it may not look into " + escaped(directory) + ": it may be there";
  if (::stat(directory.c_str(), &status) < 0 && errno == EACCES) return cannot_look;
  if (!S_ISDIR(status.st_mode))
    return "the directory " + escaped(directory) + " of core_pattern does not exist";
  if (::access(directory.c_str(), W_OK | X_OK) < 0 && (errno == EROFS || !owner.may_write_anywhere))
    return "the worker may not write to " + escaped(directory);
  if (!owner.has_dumped && is_full(directory))
    return "the kernel did not finish it: the file system of " + escaped(directory) + " is full";
  if (!owner.has_dumped && owner.limit && *owner.limit < kLeast)
    return "the kernel wrote none: limits.core is " + format_bytes(*owner.limit);
  if (!owner.has_dumped)
    return "the kernel did not finish it: something killed the process meanwhile, or it may not be "
           "dumped (PR_SET_DUMPABLE of prctl(2))";
  if (::access(directory.c_str(), R_OK | X_OK) < 0) return cannot_look;
  return "no file like the one that core_pattern names is in " + escaped(directory);
}

}  // namespace

CorePattern read_core_pattern() {
  return {line_of("/proc/sys/kernel/core_pattern"),
          line_of("/proc/sys/kernel/core_uses_pid") == "1"};
}

std::string describe_core_receiver(const CorePattern& pattern) {
  const std::string& text = pattern.text;
  if (text.starts_with('|'))
    return "core_pattern pipes it to " + escaped(text.substr(1, text.find(' ') - 1));
  if (text.starts_with('@'))
    return "core_pattern sends it to the socket " +
           escaped(text.substr(text.find_first_not_of('@')));
  return "";
}

std::string core_file_pattern(const CorePattern& pattern, const CoreOwner& owner) {
  std::string found;
  bool has_pid = false;
  const std::string& text = pattern.text;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      append_literal(found, text[at]);
      continue;
    }
    if (++at == text.size()) break;
    switch (text[at]) {
      case '%':
        found += '%';
        break;
      case 'p':
        has_pid = true;
        found += std::to_string(owner.pid);
        break;
      case 's':
        found += std::to_string(owner.signal);
        break;
      default:  // the user, the time, a name that it may have given itself…
        found += '*';
    }
  }
  if (!has_pid && pattern.uses_pid) found += "." + std::to_string(owner.pid);
  if (found.starts_with('/')) return found;
  std::string absolute;
  for (const char c : owner.directory) append_literal(absolute, c);
  return absolute + (absolute.ends_with('/') ? "" : "/") + found;
}

diagnosis::CoreFile find_core_file(const CorePattern& pattern, const CoreOwner& owner,
                                   const MayBeIts& may_be_its) {
  diagnosis::CoreFile core;
  core.why_none = describe_core_receiver(pattern);
  if (!core.why_none.empty()) return core;
  if (pattern.text.empty()) {
    core.why_none = "core_pattern is empty";
    return core;
  }
  const std::string wanted = core_file_pattern(pattern, owner);
  const std::time_t since = WallClock::to_time_t(owner.since);
  std::time_t newest = 0;
  std::string of_another;
  glob_t matches{};
  if (owner.has_dumped && ::glob(wanted.c_str(), GLOB_NOSORT, nullptr, &matches) == 0) {
    for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
      struct stat status {};
      if (::lstat(matches.gl_pathv[i], &status) < 0 || !S_ISREG(status.st_mode)) continue;
      if (status.st_mtime < since || status.st_mtime < newest) continue;
      if (!may_be_its(matches.gl_pathv[i])) {
        of_another = matches.gl_pathv[i];
        continue;
      }
      newest = status.st_mtime;
      core.path = matches.gl_pathv[i];
      core.bytes = static_cast<std::uint64_t>(status.st_size);
    }
  }
  ::globfree(&matches);
  if (!core.path.empty()) return core;
  core.why_none =
      of_another.empty()
          ? why_not_there(parent_directory(wanted), owner)
          : escaped(of_another) + " is that of another process by now: core_pattern has no %p";
  return core;
}

std::string why_cut_off(const std::string& core, const CoreOwner& owner) {
  const std::string directory = parent_directory(core);
  if (is_full(directory))
    return "it was cut off: the file system of " + escaped(directory) + " is full";
  if (owner.limit) return "it was cut off: limits.core is " + format_bytes(*owner.limit);
  return "it was cut off";
}

}  // namespace poolwarden::process
