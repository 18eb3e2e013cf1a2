#include "journal/patient_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace poolwarden::journal {
namespace {

// A pipe that poll(2) calls writable takes this much without blocking (PIPE_BUF).
constexpr std::size_t kPiece = 4096;

// O_NONBLOCK on `fd` itself would hit every process that shares it; another opening of the same
// pipe or terminal has flags of its own. Other files, and pipes of other users, are used as they
// are: poll(2) says when.
loop::UniqueFd reopen(int fd) {
  struct stat file = {};
  if (::fstat(fd, &file) != 0) return {};
  if (!S_ISFIFO(file.st_mode) && !S_ISCHR(file.st_mode)) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return loop::UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

PatientFd::PatientFd(int fd) : own_(reopen(fd)), fd_(own_ ? own_.get() : fd) {}

bool PatientFd::wait_until_writable(TimePoint until) const {
  for (;;) {
    const TimePoint end = std::min(until, TimePoint(Duration(deadline_.load())));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    // Short naps, so that hurry() is heeded soon.
    const auto nap = std::clamp<std::int64_t>(left.count(), 0, 50);
    pollfd poll = {.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(nap));
    if (ready > 0) return (poll.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
    if (ready < 0 && errno != EINTR) return false;
    if (left.count() <= 0) return false;
  }
}

bool PatientFd::write_all(std::string_view text, TimePoint until) {
  while (!text.empty()) {
    if (!wait_until_writable(until)) return false;
    const ssize_t written = ::write(fd_, text.data(), std::min(text.size(), kPiece));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
    is_mid_line_ = true;
  }
  return true;
}

void PatientFd::write_line(std::string_view line) {
  std::string whole;
  if (is_mid_line_) whole += '\n';
  whole += line;
  whole += '\n';
  if (write_all(whole, Clock::now() + kPatience)) {
    is_mid_line_ = false;
  } else {
    ++dropped_;
  }
}

}  // namespace poolwarden::journal
