#include "process/thread_states.h"

#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/clean_text.h"
#include "cgroup/kernel_files.h"
#include "process/syscall_names.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostFrames = 32;

std::string text_of(const std::string& path) { return cgroup::read_text(path).value_or(""); }

// "[<0>] futex_do_wait+0x3a/0x70" a line.
std::vector<std::string> frames(const std::string& stack) {
  std::vector<std::string> found;
  std::istringstream lines(stack);
  for (std::string line; found.size() < kMostFrames && std::getline(lines, line);) {
    const auto begin = line.find("] ");
    if (begin == std::string::npos) continue;
    const std::string frame = line.substr(begin + 2);
    found.push_back(frame.substr(0, frame.find('+')));
  }
  return found;
}

// "230 0x0 …"; "running" when it is in none.
std::string_view call_of(const std::string& syscall) {
  long number = -1;
  const char* end = syscall.data() + syscall.size();
  if (std::from_chars(syscall.data(), end, number).ec != std::errc()) return {};
  return syscall_name(number);
}

}  // namespace

diagnosis::ThreadState read_thread(int tid, const std::string& stat, const std::string& wchan,
                                   const std::string& syscall, const std::string& stack) {
  diagnosis::ThreadState thread;
  thread.tid = tid;
  const auto begin = stat.find('(');
  const auto end = stat.rfind(") ");
  if (begin != std::string::npos && end != std::string::npos && end > begin) {
    thread.name = escaped(stat.substr(begin + 1, end - begin - 1));
    if (end + 2 < stat.size()) thread.state = stat[end + 2];
  }
  const std::string place = wchan.substr(0, wchan.find('\n'));
  thread.waits_in = place.empty() || place == "0" ? std::string(call_of(syscall)) : place;
  thread.kernel_stack = frames(stack);
  return thread;
}

bool is_dumping_core(pid_t pid) {
  const std::string status = text_of("/proc/" + std::to_string(pid) + "/status");
  return status.find("\nCoreDumping:\t1") != std::string::npos;
}

int signal_of_dump(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  int status = 0;
  const auto last = stat.rfind(' ') + 1;
  std::from_chars(stat.data() + last, stat.data() + stat.size(), status);
  return WTERMSIG(status);
}

std::string name_of_process(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  const diagnosis::ThreadState leader = read_thread(pid, stat, "", "", "");
  const bool has_ended = leader.state == 'Z' || leader.state == 'X';
  return has_ended ? "" : leader.name;
}

std::vector<diagnosis::ThreadState> thread_states(const std::vector<pid_t>& pids,
                                                  Duration patience) {
  std::vector<diagnosis::ThreadState> found;
  const TimePoint limit = Clock::now() + patience;
  for (const pid_t pid : pids) {
    for (const std::string& task :
         cgroup::subdirectories("/proc/" + std::to_string(pid) + "/task")) {
      if (found.size() >= kMostThreads || Clock::now() > limit) return found;
      int tid = 0;
      const auto name = task.rfind('/') + 1;
      std::from_chars(task.data() + name, task.data() + task.size(), tid);
      const std::string stat = text_of(task + "/stat");
      if (stat.empty()) continue;  // it has just ended
      found.push_back(read_thread(tid, stat, text_of(task + "/wchan"), text_of(task + "/syscall"),
                                  text_of(task + "/stack")));
    }
  }
  return found;
}

}  // namespace poolwarden::process
