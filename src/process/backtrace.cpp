#include "process/backtrace.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <sstream>

#include "base/clean_text.h"
#include "diagnosis/exit_status.h"
#include "loop/unique_fd.h"

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostToolText = 256 * 1024;
constexpr std::size_t kMostShownFrames = 32;
constexpr std::size_t kLongestFrame = 200;
constexpr rlim_t kMostMemory = rlim_t{4} << 30;  // of the tool
constexpr int kNotRun = 127;

// What a tool would load or ask on behalf of whoever owns the core is left out of its environment.
constexpr const char* kEnvironment[] = {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C",
                                        "DEBUGINFOD_URLS="};
constexpr const char* kMarker = "NOTIFY_SOCKET";  // by which whatever it starts is found

std::vector<std::string> tool_environment() {
  std::vector<std::string> entries(std::begin(kEnvironment), std::end(kEnvironment));
  if (const char* marker = std::getenv(kMarker))
    entries.push_back(std::string(kMarker) + "=" + marker);
  return entries;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> found;
  for (const std::string& text : texts) found.push_back(const_cast<char*>(text.c_str()));
  found.push_back(nullptr);
  return found;
}

// Returns in the parent only.
pid_t start_tool(char* const* arguments, char* const* environment, int output) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotRun);  // it died before that
  const rlimit memory{kMostMemory, kMostMemory};
  ::setrlimit(RLIMIT_AS, &memory);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(nothing, STDERR_FILENO);
  ::execve(arguments[0], arguments, environment);
  ::_exit(kNotRun);
}

struct Said {
  std::string text;
  diagnosis::ExitStatus end;
  bool was_cut = false;  // and killed for it
};

Said ask_tool(const std::vector<std::string>& words) {
  Said said;
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<std::string> entries = tool_environment();
  const std::vector<char*> environment = pointers_to(entries);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return said;
  const loop::UniqueFd reading(ends[0]);
  loop::UniqueFd writing(ends[1]);
  const pid_t pid = start_tool(arguments.data(), environment.data(), writing.get());
  writing.reset();
  if (pid < 0) return said;
  char chunk[4096];
  while (said.text.size() < kMostToolText) {
    const ssize_t size = ::read(reading.get(), chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    said.text.append(chunk, static_cast<std::size_t>(size));
  }
  said.was_cut = said.text.size() >= kMostToolText;
  if (said.was_cut) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  said.end = diagnosis::from_wait_status(status);
  return said;
}

bool is_installed(const std::string& program) { return ::access(program.c_str(), X_OK) == 0; }

std::string frame_of(const std::string& line) { return escaped(line.substr(0, kLongestFrame)); }

std::vector<std::string> gdb_words(const std::string& gdb, const std::string& core,
                                   const std::string& program) {
  std::vector<std::string> words = {gdb, "-nx", "-batch", "-q"};
  // Nothing that the core or the program's files bring along may be run.
  for (const char* setting :
       {"set auto-load off", "set auto-load safe-path /nonexistent", "set debuginfod enabled off",
        "set width 0", "set print frame-arguments none"}) {
    words.insert(words.end(), {"-iex", setting});
  }
  words.insert(words.end(), {"-ex", "backtrace " + std::to_string(kMostShownFrames)});
  if (!program.empty()) words.insert(words.end(), {"--exec=" + program, "--symbols=" + program});
  words.push_back("--core=" + core);
  return words;
}

std::vector<std::string> eu_stack_words(const std::string& eu_stack, const std::string& core,
                                        const std::string& program) {
  std::vector<std::string> words = {eu_stack, "-n", std::to_string(kMostShownFrames),
                                    "--core=" + core};
  if (!program.empty()) words.push_back("--executable=" + program);
  return words;
}

}  // namespace

// "#0  0x00005555 in main () at app.c:3"
std::vector<std::string> read_gdb_frames(const std::string& text) {
  std::vector<std::string> frames;
  std::istringstream lines(text);
  for (std::string line; frames.size() < kMostShownFrames && std::getline(lines, line);) {
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
  for (std::string line; frames.size() < kMostShownFrames && std::getline(lines, line);) {
    if (line.starts_with("TID ") && ++threads > 1) break;
    if (line.starts_with('#')) frames.push_back(frame_of(line));
  }
  return frames;
}

Backtrace backtrace_of_core(const std::string& core, const std::string& program,
                            const BacktraceTools& tools) {
  Backtrace found;
  if (core.empty()) {
    found.why_none = "the core file is gone";
    return found;
  }
  const auto ask = [&found](const char* name, const std::vector<std::string>& words, auto read) {
    if (!found.frames.empty() || !is_installed(words.front())) return;
    const Said said = ask_tool(words);
    found.was_tool_killed |=
        !said.was_cut && said.end == diagnosis::ExitStatus(diagnosis::Signaled{SIGKILL});
    found.frames = read(said.text);
    found.why_none = found.frames.empty()
                         ? std::string(name) + " shows no frames: it " + describe(said.end)
                         : "";
  };
  ask("gdb", gdb_words(tools.gdb, core, program), read_gdb_frames);
  ask("eu-stack", eu_stack_words(tools.eu_stack, core, program), read_eu_stack_frames);
  if (found.frames.empty() && found.why_none.empty())
    found.why_none = "neither gdb nor eu-stack is installed";
  return found;
}

}  // namespace poolwarden::process
