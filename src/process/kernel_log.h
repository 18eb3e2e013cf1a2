// What the kernel's own log says of processes that a signal ended (/dev/kmsg): where a fault was,
// and which system call seccomp forbade. Often it may not be read; then it says nothing.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "diagnosis/evidence.h"
#include "loop/unique_fd.h"

namespace poolwarden::process {

struct FaultLine {
  pid_t pid = 0;
  diagnosis::FaultSite fault;
};

// Of the text of one record, which ends at a line end.
std::optional<FaultLine> read_fault_line(std::string_view text);

class KernelLog {
 public:
  // From now on. The log names processes as the machine numbers them: in a pid namespace of our own
  // it is not read.
  static KernelLog open();

  KernelLog() = default;  // none
  // A record a read, in the form of /dev/kmsg.
  explicit KernelLog(loop::UniqueFd file) : file_(std::move(file)) {}

  // The number of its last record.
  std::uint64_t end();

  // What it has said of that process, once, in records after the one of that number: one that has
  // long ended, or a thread of another, had the same number before it. Never waits.
  std::optional<diagnosis::FaultSite> take(pid_t pid, std::uint64_t after);

 private:
  struct Found {
    std::uint64_t record = 0;
    diagnosis::FaultSite fault;
  };
  void read_new();

  loop::UniqueFd file_;
  std::uint64_t last_ = 0;
  std::map<pid_t, Found> found_;
};

}  // namespace poolwarden::process
