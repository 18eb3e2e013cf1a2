#include "process/page_out.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace poolwarden::process {
namespace {

// Everything below runs in the child: see LaunchPlan::task.

struct Target {
  pid_t pid;
  std::string maps;
};

// Reads /proc/PID/maps, "7f05c000-7f05e000 r--p …" a line, for the addresses alone.
class MapsReader {
 public:
  explicit MapsReader(const char* path)
      : file_(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0))) {}
  ~MapsReader() { ::syscall(SYS_close, file_); }
  MapsReader(const MapsReader&) = delete;
  MapsReader& operator=(const MapsReader&) = delete;

  bool next(std::uintptr_t& begin, std::uintptr_t& end) {
    begin = number();
    end = number();
    for (int c = last_; c != '\n'; c = read())
      if (c < 0) return false;
    return true;
  }

 private:
  std::uintptr_t number() {
    std::uintptr_t value = 0;
    for (;;) {
      const int c = last_ = read();
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<std::uintptr_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        value = value * 16 + static_cast<std::uintptr_t>(c - 'a') + 10;
      } else {
        return value;
      }
    }
  }

  int read() {
    if (at_ == count_) {
      count_ = ::syscall(SYS_read, file_, buffer_, sizeof buffer_);
      at_ = 0;
      if (count_ <= 0) return count_ = 0, -1;
    }
    return static_cast<unsigned char>(buffer_[at_++]);
  }

  int file_;
  int last_ = -1;
  long at_ = 0, count_ = 0;
  char buffer_[4096];
};

void page_out(const Target& target) {
  const long pidfd = ::syscall(SYS_pidfd_open, static_cast<long>(target.pid), 0L);
  if (pidfd < 0) return;
  MapsReader maps(target.maps.c_str());
  std::uintptr_t begin = 0, end = 0;
  while (maps.next(begin, end)) {
    // One at a time: a mapping that cannot be paged out ends the call.
    const iovec part{reinterpret_cast<void*>(begin), end - begin};
    ::syscall(SYS_process_madvise, pidfd, &part, 1L, static_cast<long>(MADV_PAGEOUT), 0L);
  }
  ::syscall(SYS_close, pidfd);
}

void write_order(const cgroup::KernelWrite& order) {
  const long file = ::syscall(SYS_openat, AT_FDCWD, order.path.c_str(), O_WRONLY | O_CLOEXEC, 0);
  if (file < 0) return;
  ::syscall(SYS_write, file, order.text.data(), order.text.size());
  ::syscall(SYS_close, file);
}

}  // namespace

std::unique_ptr<ServiceProcess> start_page_out(boost::asio::io_context& io, const KnownPids& known,
                                               const std::vector<pid_t>& pids,
                                               const std::optional<cgroup::KernelWrite>& order) {
  std::vector<Target> targets;
  for (const pid_t pid : pids) targets.push_back({pid, "/proc/" + std::to_string(pid) + "/maps"});
  LaunchPlan plan;
  plan.program = "pw-page-out";
  plan.task = [targets = std::move(targets), order] {
    for (const Target& target : targets) page_out(target);
    if (order) write_order(*order);
    return 0;
  };
  auto started = start_service(io, known, plan, [](const diagnosis::ExitStatus&) {});
  return started ? std::move(*started) : nullptr;
}

}  // namespace poolwarden::process
