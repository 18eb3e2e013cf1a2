// A descriptor that is written to only when it takes what is written, and only for so long:
// a reader that has stopped reading costs lines, never a hang.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "loop/unique_fd.h"

namespace poolwarden::journal {

inline constexpr std::chrono::milliseconds kPatience{200};  // for one line

class PatientFd {
 public:
  // `fd` stays the caller's.
  explicit PatientFd(int fd);

  // The line and a newline; counted as dropped if they cannot all be written in time.
  void write_line(std::string_view line);

  // No write waits beyond this moment any more. From any thread.
  void hurry(TimePoint deadline) { deadline_ = deadline.time_since_epoch().count(); }

  std::uint64_t dropped() const { return dropped_; }

 private:
  bool write_all(std::string_view text, TimePoint until);
  bool wait_until_writable(TimePoint until) const;

  loop::UniqueFd own_;  // the same file opened again, non-blocking, where that can be had
  int fd_;
  bool is_mid_line_ = false;  // the last line was cut short
  std::atomic<Duration::rep> deadline_{TimePoint::max().time_since_epoch().count()};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace poolwarden::journal
