#include "process/backtrace.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <sstream>

#include "base/clean_text.h"
#include "loop/unique_fd.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostText = 256 * 1024;
constexpr std::size_t kMostFrames = 32;
constexpr std::size_t kLongestFrame = 200;
constexpr rlim_t kMostMemory = rlim_t{4} << 30;  // of the tool

// What a tool would load or ask on behalf of whoever owns the core is left out of its environment.
constexpr const char* kEnvironment[] = {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C",
                                        "DEBUGINFOD_URLS=", nullptr};

std::string output_of(const std::vector<std::string>& words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return "";
  const loop::UniqueFd reading(ends[0]);
  loop::UniqueFd writing(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, words.front().c_str(), &actions, nullptr, arguments.data(),
                                   const_cast<char**>(kEnvironment));
  ::posix_spawn_file_actions_destroy(&actions);
  writing.reset();
  if (failed != 0) return "";
  const rlimit memory{kMostMemory, kMostMemory};
  ::prlimit(pid, RLIMIT_AS, &memory, nullptr);
  std::string text;
  char chunk[4096];
  for (ssize_t size = 0; text.size() < kMostText;) {
    size = ::read(reading.get(), chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    text.append(chunk, static_cast<std::size_t>(size));
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return text;
}

bool is_installed(const char* program) { return ::access(program, X_OK) == 0; }

std::string frame_of(const std::string& line) { return escaped(line.substr(0, kLongestFrame)); }

}  // namespace

// "#0  0x00005555 in main () at app.c:3"
std::vector<std::string> read_gdb_frames(const std::string& text) {
  std::vector<std::string> frames;
  std::istringstream lines(text);
  for (std::string line; frames.size() < kMostFrames && std::getline(lines, line);) {
    if (line.starts_with("#0 ")) frames.clear();  // it shows the first one as soon as it has it
    if (line.starts_with('#')) frames.push_back(frame_of(line));
  }
  return frames;
}

// "TID 4711:" before the frames of each thread; the one that met the signal is the first.
std::vector<std::string> read_eu_stack_frames(const std::string& text) {
  std::vector<std::string> frames;
  std::istringstream lines(text);
  int threads = 0;
  for (std::string line; frames.size() < kMostFrames && std::getline(lines, line);) {
    if (line.starts_with("TID ") && ++threads > 1) break;
    if (line.starts_with('#')) frames.push_back(frame_of(line));
  }
  return frames;
}

std::vector<std::string> backtrace_of_core(const std::string& core, const std::string& program) {
  if (constexpr const char* kGdb = "/usr/bin/gdb"; is_installed(kGdb)) {
    std::vector<std::string> words = {kGdb, "-nx", "-batch", "-q"};
    // Nothing that the core or the program's files bring along may be run.
    for (const char* setting :
         {"set auto-load off", "set auto-load safe-path /nonexistent", "set debuginfod enabled off",
          "set width 0", "set print frame-arguments none"}) {
      words.insert(words.end(), {"-iex", setting});
    }
    words.insert(words.end(), {"-ex", "backtrace " + std::to_string(kMostFrames)});
    if (!program.empty())
      words.push_back("--exec=" + program), words.push_back("--symbols=" + program);
    words.push_back("--core=" + core);
    return read_gdb_frames(output_of(words));
  }
  if (constexpr const char* kStack = "/usr/bin/eu-stack"; is_installed(kStack)) {
    std::vector<std::string> words = {kStack, "-n", std::to_string(kMostFrames), "--core=" + core};
    if (!program.empty()) words.push_back("--executable=" + program);
    return read_eu_stack_frames(output_of(words));
  }
  return {};
}

}  // namespace poolwarden::process
