#include "doctor/patient_look.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sstream>

#include "base/clock.h"
#include "base/units.h"
#include "cgroup/kernel_files.h"
#include "diagnosis/exit_status.h"
#include "loop/pipe.h"

namespace poolwarden::doctor {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// In the child, above which there is a copy of the parent's stack: nothing may be thrown into it.
[[noreturn]] void look_as_child(const Look& look, int fd, pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before that
  try {
    const Teller teller(fd);
    look(teller);
    teller.tell_end();
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

class Listener {
 public:
  Listener(int fd, milliseconds patience) : fd_(fd), patience_(patience) {}

  // Until the other end is closed; false when nothing was said for too long.
  bool listen() {
    for (;;) {
      if (!is_there_more()) return false;
      char buffer[4096];
      const ssize_t count = ::read(fd_, buffer, sizeof buffer);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return true;
      take(std::string_view(buffer, static_cast<std::size_t>(count)));
    }
  }

  const Heard& heard() const { return heard_; }

 private:
  bool is_there_more() {
    const TimePoint limit = Clock::now() + patience_;
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(limit - Clock::now());
      pollfd wanted{fd_, POLLIN, 0};
      const int ready = ::poll(&wanted, 1, static_cast<int>(std::max(left, 0ms).count()));
      if (ready < 0 && errno == EINTR) continue;
      return ready != 0;
    }
  }

  void take(std::string_view text) {
    for (const char letter : text) {
      if (letter != '\n') {
        line_ += letter;
        continue;
      }
      heard_.take(line_);
      line_.clear();
    }
  }

  int fd_;
  milliseconds patience_;
  std::string line_;
  Heard heard_;
};

// Who waits for a server that is gone may not even be killed: it is not waited for then.
constexpr milliseconds kDies = 1s;

std::string end_of(pid_t child) {
  for (milliseconds waited = 0ms; waited < kDies; waited += 10ms) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG) < 0) return "";
    if (info.si_pid == child) {
      const bool is_exit = info.si_code == CLD_EXITED;
      return is_exit ? "exit code " + std::to_string(info.si_status)
                     : diagnosis::signal_name(info.si_status);
    }
    ::usleep(10'000);
  }
  return "";
}

Check silent(const Place& at, milliseconds patience) {
  const std::string found =
      at.what + " does not answer: given up after " + format_duration(patience);
  if (at.path.empty())
    return problem(at.subject, found, "what is asked for it does not answer, or is very slow",
                   "see what it waits for, or wait longer with --timeout");
  const std::string mount =
      mount_of(cgroup::read_text("/proc/self/mountinfo").value_or(""), at.path);
  return problem(at.subject, found,
                 "a file system on the way hangs, or is very slow" +
                     (mount.empty() ? "" : "; it is on " + mount),
                 "bring back what serves that file system, or unmount it (umount -l); or wait "
                 "longer with --timeout");
}

// In mountinfo a blank is "\040".
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '\\' && i + 3 < text.size();
    plain += is_escape ? static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)) : text[i];
    if (is_escape) i += 3;
  }
  return plain;
}

bool is_in(const std::string& path, const std::string& mount) {
  if (mount == "/") return path.starts_with('/');
  return path.starts_with(mount) && (path.size() == mount.size() || path[mount.size()] == '/');
}

}  // namespace

std::string mount_of(const std::string& mountinfo, const std::string& path) {
  std::string found, deepest;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, mount, word, type, source;
    words >> id >> parent >> device >> root >> mount;
    while (words >> word && word != "-") continue;
    if (!(words >> type >> source)) continue;
    mount = unescaped(mount);
    // Of two on one place the later one is seen.
    if (!is_in(path, mount) || mount.size() < deepest.size()) continue;
    deepest = mount;
    found = mount + " (" + type + ", of " + unescaped(source) + ")";
  }
  return found;
}

Checks look_patiently(milliseconds patience, const Look& look) {
  auto pipe = loop::make_pipe();
  if (!pipe) return {problem("doctor", pipe.error().message, "", "")};
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return {problem("doctor", errno_error(errno, "cannot fork").message, "", "")};
  if (child == 0) look_as_child(look, pipe->writing.get(), parent);
  pipe->writing.reset();
  Listener listener(pipe->reading.get(), patience);
  const bool has_answered = listener.listen();
  if (!has_answered) ::kill(child, SIGKILL);
  const std::string end = end_of(child);
  Checks checks = listener.heard().checks;
  const Place& at = listener.heard().at;
  if (!has_answered) {
    checks.push_back(silent(at, patience));
  } else if (!listener.heard().has_ended) {
    checks.push_back(problem(at.subject.empty() ? "doctor" : at.subject,
                             "the look at " + at.what + " ended early", end,
                             "this is a defect of poolwarden: please report it"));
  }
  return checks;
}

}  // namespace poolwarden::doctor
