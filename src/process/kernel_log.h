// What the kernel's own log says of processes that a signal ended (/dev/kmsg): where a fault was,
// and which system call seccomp forbade. Often it may not be read; then it says nothing.

#pragma once

#include <sys/types.h>

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

  // What it has said of that process, once. Never waits.
  std::optional<diagnosis::FaultSite> take(pid_t pid);

 private:
  void read_new();

  loop::UniqueFd file_;
  std::map<pid_t, diagnosis::FaultSite> found_;
};

}  // namespace poolwarden::process
