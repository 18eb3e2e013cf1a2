// A pipe with an owner for each end.

#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::loop {

struct Pipe {
  UniqueFd reading, writing;
};

// Close-on-exec.
inline Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return errno_error(errno, "cannot make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace poolwarden::loop
