#include "process/debugger_attach.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <sstream>

#include "cgroup/kernel_files.h"
#include "loop/pidfd.h"
#include "loop/pipe.h"
#include "process/preflight.h"
#include "process/process_table.h"

namespace poolwarden::process {
namespace {

constexpr int kDescriptorsClosed = 65536;  // before Linux 5.9
constexpr int kExecEvent = SIGTRAP | PTRACE_EVENT_EXEC << 8;
constexpr int kHelperKilled = ESRCH;  // in place of the errno of its ptrace(2)

bool send(int pipe, int value) { return ::write(pipe, &value, sizeof value) == sizeof value; }

std::optional<int> receive(int pipe) {
  int value = 0;
  ssize_t count = 0;
  do {
    count = ::read(pipe, &value, sizeof value);
  } while (count < 0 && errno == EINTR);
  return count == sizeof value ? std::optional(value) : std::nullopt;
}

// What the helper does once it traces; it never returns to its caller.
using Traced = std::function<void(pid_t traced)>;

[[noreturn]] void help(pid_t traced, loop::Pipe& to_traced, loop::Pipe& to_helper,
                       const Traced& then) {
  to_traced.reading.reset();
  to_helper.writing.reset();
  send(to_traced.writing.get(), ::getpid());
  receive(to_helper.reading.get());  // it lets us, as far as Yama is concerned
  const long seized = ::ptrace(PTRACE_SEIZE, traced, nullptr, PTRACE_O_TRACEEXEC);
  send(to_traced.writing.get(), seized < 0 ? errno : 0);
  // Also the worker's listening socket, which must go down with the worker.
  if (::syscall(SYS_close_range, 3U, ~0U, 0U) < 0)
    for (int fd = 3; fd < kDescriptorsClosed; ++fd) ::close(fd);
  if (seized == 0) then(traced);
  ::_exit(0);
}

// Forks a helper that is nobody's child here and has it trace us. Answers the errno of that. Each
// side holds no end that is the other's: that the other has died shows in the pipe.
Result<int> have_us_traced(const Traced& then) {
  const pid_t ourselves = ::getpid();
  auto to_us = loop::make_pipe();
  auto to_helper = loop::make_pipe();
  if (!to_us) return to_us.error();
  if (!to_helper) return to_helper.error();
  const pid_t between = ::fork();
  if (between < 0) return errno_error(errno, "cannot fork");
  if (between == 0) {
    const pid_t helper = ::fork();
    if (helper == 0) help(ourselves, *to_us, *to_helper, then);
    ::_exit(helper < 0 ? errno : 0);
  }
  int status = 0;
  while (::waitpid(between, &status, 0) < 0 && errno == EINTR) continue;
  if (const int error = WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN; error != 0)
    return errno_error(error, "cannot fork");
  to_us->writing.reset();
  const auto helper = receive(to_us->reading.get());
  // Without Yama it fails, and is not needed.
  if (helper) ::prctl(PR_SET_PTRACER, *helper, 0, 0, 0);
  send(to_helper->writing.get(), 0);  // our reading end is still there: this raises no SIGPIPE
  return receive(to_us->reading.get()).value_or(kHelperKilled);
}

// True when it stands before the first instruction of another program; false when it has ended.
bool follow_to_exec(pid_t traced) {
  for (;;) {
    int status = 0;
    if (::waitpid(traced, &status, __WALL) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (!WIFSTOPPED(status)) return false;
    if (status >> 8 == kExecEvent) return true;
    const bool is_event = status >> 16 != 0;
    ::ptrace(PTRACE_CONT, traced, nullptr, is_event ? 0 : WSTOPSIG(status));
  }
}

// What a debugger has to know of our surroundings; the worker's own settings are not for it.
std::vector<std::string> environment_of_tool() {
  std::vector<std::string> kept;
  // NOTIFY_SOCKET marks whose processes are whose, where no cgroup does.
  for (const char* name : {"PATH", "HOME", "USER", "NOTIFY_SOCKET"}) {
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  }
  kept.emplace_back("LC_ALL=C");
  kept.emplace_back("TERM=dumb");
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> found;
  for (std::string& text : texts) found.push_back(text.data());
  found.push_back(nullptr);
  return found;
}

void complain(const std::string& text) {
  const std::string line = "poolwarden: " + text + "\n";
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

std::string concerning(std::string word, pid_t traced) {
  constexpr std::string_view kPid = "{PID}";
  for (std::size_t at = 0; (at = word.find(kPid)) != std::string::npos;)
    word.replace(at, kPid.size(), std::to_string(traced));
  return word;
}

void run_tool(const std::vector<std::string>& tool, pid_t traced) {
  std::vector<std::string> words;
  for (const std::string& word : tool) words.push_back(concerning(word, traced));
  std::vector<std::string> environment = environment_of_tool();
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(environment);
  const pid_t debugger = ::fork();
  if (debugger == 0) {
    ::execve(argv[0], argv.data(), envp.data());
    complain("cannot execute " + words[0] + ": " + std::strerror(errno));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(debugger, &status, 0) < 0 && errno == EINTR) continue;
}

// Hands it over to the debugger, standing still; lets it go on when the debugger leaves it so.
void debug(const std::vector<std::string>& tool, pid_t traced) {
  const loop::UniqueFd handle = loop::open_pidfd(traced);
  if (!follow_to_exec(traced)) return;
  ::kill(traced, SIGSTOP);
  ::ptrace(PTRACE_DETACH, traced, nullptr, nullptr);
  run_tool(tool, traced);
  if (tracer_of(traced) == 0) ::syscall(SYS_pidfd_send_signal, handle.get(), SIGCONT, nullptr, 0);
}

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> found;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

// A field of /proc/self/status, such as "Seccomp:".
std::string status_field(const std::string& name) {
  std::istringstream lines(cgroup::read_text("/proc/self/status").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const auto at = line.find_first_not_of(" \t", name.size());
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

TraceRights own_rights(int error) {
  TraceRights rights;
  rights.error = error;
  const std::string held = status_field("CapEff:");
  rights.has_capability = (std::strtoull(held.c_str(), nullptr, 16) >> CAP_SYS_PTRACE & 1) != 0;
  const std::string filter = status_field("Seccomp:");
  rights.is_filtered = !filter.empty() && filter != "0";
  rights.yama_scope =
      std::atoi(cgroup::read_text("/proc/sys/kernel/yama/ptrace_scope").value_or("0").c_str());
  return rights;
}

}  // namespace

Error exec_debugged(const std::vector<std::string>& tool, const std::vector<std::string>& command) {
  const auto program = find_program(command.empty() ? "" : command.front(), own_environment(), "");
  if (!program) return program.error();
  const auto traced = have_us_traced([&](pid_t pid) { debug(tool, pid); });
  if (!traced) {
    complain("cannot start " + tool.front() +
             ", the worker runs without: " + traced.error().message);
  } else if (*traced != 0) {
    complain("cannot trace, the worker runs without " + tool.front() + ": " +
             explain_refusal(own_rights(*traced)));
  }
  std::vector<std::string> words = command;
  const std::vector<char*> argv = pointers(words);
  ::execve(program->c_str(), argv.data(), ::environ);
  return errno_error(errno, "cannot execute " + *program);
}

Result<void> try_tracing() {
  const pid_t child = ::fork();
  if (child < 0) return errno_error(errno, "cannot fork");
  if (child == 0) {
    const auto traced = have_us_traced([](pid_t) {});
    ::_exit(traced ? *traced : traced.error().code.value());
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  const int error = WIFEXITED(status) ? WEXITSTATUS(status) : kHelperKilled;
  if (error == 0) return {};
  return failure(explain_refusal(own_rights(error)));
}

std::string explain_refusal(const TraceRights& rights) {
  const std::string capability =
      "docker run --cap-add SYS_PTRACE, or securityContext.capabilities.add: [SYS_PTRACE] in "
      "Kubernetes";
  const std::string tried =
      rights.error == kHelperKilled
          ? "who calls ptrace(2) is killed: "
          : "ptrace(2) fails with \"" + std::string(std::strerror(rights.error)) + "\": ";
  constexpr int kNobodyTraces = 3;
  constexpr int kAdministratorsTrace = 2;
  if (rights.yama_scope >= kNobodyTraces) {
    return tried +
           "kernel.yama.ptrace_scope is 3, so nobody may trace on this host until it is booted "
           "with a smaller one";
  }
  if (rights.yama_scope == kAdministratorsTrace && !rights.has_capability) {
    return tried +
           "kernel.yama.ptrace_scope is 2, so only who has CAP_SYS_PTRACE may trace: on the host "
           "sysctl kernel.yama.ptrace_scope=1; or " +
           capability +
           ", and for a pool that does not run as root identity.capabilities: "
           "[SYS_PTRACE]";
  }
  if (rights.is_filtered) {
    return tried + "the container's seccomp filter forbids it: " + capability +
           ", whose default filters allow it then; or --security-opt seccomp=unconfined, "
           "seccompProfile: {type: Unconfined}";
  }
  return tried +
         "a security module (AppArmor, SELinux) forbids it: --security-opt "
         "apparmor=unconfined, or appArmorProfile: {type: Unconfined}";
}

}  // namespace poolwarden::process
