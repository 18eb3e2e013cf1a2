#include "process/inject_exit.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "process/process_table.h"

namespace poolwarden::process {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;  // a process may hang in the kernel (state D)

// The next instruction shall be a system call, whatever it was: it is the last one anyway.
#if defined(__x86_64__)
constexpr bool kSupported = true;
constexpr std::uint64_t kCall = 0x050f, kCallBits = 0xffff;  // syscall

std::uint64_t prepare_exit(user_regs_struct& registers, int code) {
  registers.orig_rax = ~0ULL;  // no system call that would be begun again
  registers.rax = SYS_exit_group;
  registers.rdi = static_cast<unsigned>(code);
  return registers.rip;
}
#elif defined(__aarch64__)
constexpr bool kSupported = true;
constexpr std::uint64_t kCall = 0xd4000001, kCallBits = 0xffffffff;  // svc #0

std::uint64_t prepare_exit(user_regs_struct& registers, int code) {
  registers.regs[8] = SYS_exit_group;
  registers.regs[0] = static_cast<unsigned>(code);
  // Where it stands the kernel may begin an interrupted system call again.
  return registers.pc += 4;
}
#else
constexpr bool kSupported = false;
constexpr std::uint64_t kCall = 0, kCallBits = 0;

std::uint64_t prepare_exit(user_regs_struct&, int) { return 0; }
#endif

void* pointer(std::uint64_t value) { return reinterpret_cast<void*>(value); }

// Lets the process go, whatever became of it meanwhile.
class Tracing {
 public:
  explicit Tracing(pid_t pid) : pid_(pid) {}
  ~Tracing() {
    ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
    ::kill(pid_, SIGCONT);  // one that was stopped could not even end
  }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

 private:
  pid_t pid_;
};

Result<void> wait_until_it_stops(pid_t pid) {
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    int status = 0;
    const pid_t waited = ::waitpid(pid, &status, __WALL | WNOHANG);
    if (waited < 0) return errno_error(errno, "cannot wait for it");
    if (waited == pid && WIFSTOPPED(status)) return {};
    if (waited == pid) return failure("it has just ended");
    if (std::chrono::steady_clock::now() > limit) return failure("it does not stop for a tracer");
    std::this_thread::sleep_for(1ms);
  }
}

Result<void> replace_next_instruction(pid_t pid, std::uint64_t place) {
  errno = 0;
  const auto before =
      static_cast<std::uint64_t>(::ptrace(PTRACE_PEEKTEXT, pid, pointer(place), nullptr));
  if (errno != 0) return errno_error(errno, "cannot read its code");
  const std::uint64_t after = (before & ~kCallBits) | kCall;
  if (::ptrace(PTRACE_POKETEXT, pid, pointer(place), pointer(after)) < 0)
    return errno_error(errno, "cannot write its code");
  return {};
}

Result<void> redirect(pid_t pid, int code) {
  user_regs_struct registers{};
  iovec part{&registers, sizeof registers};
  if (::ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) < 0)
    return errno_error(errno, "cannot read its registers");
  if (!kSupported || part.iov_len != sizeof registers)
    return failure("its processor architecture is not known here");
  if (auto done = replace_next_instruction(pid, prepare_exit(registers, code)); !done) return done;
  if (::ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part) < 0)
    return errno_error(errno, "cannot write its registers");
  return {};
}

Error may_not_trace(int error, pid_t pid) {
  if (error != EPERM) return errno_error(error, "cannot trace it");
  if (const pid_t tracer = tracer_of(pid); tracer != 0)
    return errno_error(error, "it is traced already, by process " + std::to_string(tracer));
  return {std::error_code(error, std::system_category()),
          "cannot trace it: poolwarden needs CAP_SYS_PTRACE for that (docker run --cap-add "
          "SYS_PTRACE)"};
}

Result<void> trace_and_redirect(pid_t pid, int code) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) < 0) return may_not_trace(errno, pid);
  const Tracing tracing(pid);
  if (::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) < 0)
    return errno_error(errno, "cannot interrupt it");
  if (auto stopped = wait_until_it_stops(pid); !stopped) return stopped;
  return redirect(pid, code);
}

}  // namespace

Result<void> inject_exit(pid_t pid, int code) {
  auto done = trace_and_redirect(pid, code);
  if (done) return done;
  return done.error().because("cannot make process " + std::to_string(pid) + " exit");
}

}  // namespace poolwarden::process
