// Opens a file that somebody else has named: a FIFO or a device is found out without being opened.

#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::loop {

// For reading. `flags`: O_NOFOLLOW. Needs /proc, by which the same file is opened that was looked
// at (open(2), O_PATH). An error of its own for what is no regular file.
inline Result<UniqueFd> open_regular_file(const std::string& path, int flags = 0) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC | flags));
  struct stat status {};
  if (!place || ::fstat(place.get(), &status) < 0) return errno_error(errno, "cannot read " + path);
  if (!S_ISREG(status.st_mode)) return failure("cannot read " + path + ": it is no regular file");
  UniqueFd file(::open(("/proc/self/fd/" + std::to_string(place.get())).c_str(),
                       O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error(errno, "cannot read " + path);
  return file;
}

}  // namespace poolwarden::loop
