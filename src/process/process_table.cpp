#include "process/process_table.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "cgroup/kernel_files.h"

namespace poolwarden::process {
namespace {

// "4711 (a name) with ) in it) S 1 4711 4711 …"
ProcessEntry parse_stat(pid_t pid, const std::string& text) {
  ProcessEntry entry;
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return entry;
  std::istringstream rest(text.substr(name_end + 1));
  pid_t group = 0;
  rest >> entry.state >> entry.parent >> group >> entry.session;
  std::string skipped;
  for (int field = 7; field < 20; ++field) rest >> skipped;
  rest >> entry.threads >> skipped;
  if (rest >> entry.started) entry.pid = pid;
  return entry;
}

// The first thread of a process may end before the others.
bool has_first_thread(const ProcessEntry& entry) {
  return entry.state != 'Z' && entry.state != 'X';
}

bool is_alive(const ProcessEntry& entry) {
  return entry.pid != 0 && (has_first_thread(entry) || entry.threads > 1);
}

// Its environment, as a thread that has not ended sees it: they share one memory.
std::optional<std::string> environment_of(const ProcessEntry& entry) {
  const std::string process = "/proc/" + std::to_string(entry.pid);
  auto text = cgroup::read_text(process + "/environ");
  if (has_first_thread(entry) || (text && !text->empty())) return text;
  const std::string first = process + "/task/" + std::to_string(entry.pid);
  for (const std::string& thread : cgroup::subdirectories(process + "/task")) {
    if (thread == first) continue;
    if (auto its = cgroup::read_text(thread + "/environ")) return its;
  }
  return text;
}

// Whether an entry of its environment is `marker`, or begins with it.
bool was_started_with(const ProcessEntry& entry, const std::string& marker, bool whole) {
  const auto text = environment_of(entry);
  if (!text) return false;
  // Entries end with a zero byte each.
  const std::string end = whole ? std::string(1, '\0') : std::string();
  return ('\0' + *text).find('\0' + marker + end) != std::string::npos;
}

void add_descendants(const std::vector<ProcessEntry>& all, std::set<pid_t>& members) {
  for (bool grown = true; grown;) {
    grown = false;
    for (const ProcessEntry& entry : all)
      if (is_alive(entry) && members.contains(entry.parent))
        grown |= members.insert(entry.pid).second;
  }
}

// Absent where the kernel does not tell (CONFIG_PROC_CHILDREN).
std::optional<std::vector<pid_t>> own_children() {
  std::optional<std::vector<pid_t>> found;
  for (const std::string& task : cgroup::subdirectories("/proc/self/task")) {
    const auto text = cgroup::read_text(task + "/children");
    if (!text) continue;
    if (!found) found.emplace();
    std::istringstream words(*text);
    for (pid_t pid = 0; words >> pid;) found->push_back(pid);
  }
  return found;
}

ProcessEntry read_entry(pid_t pid) {
  return parse_stat(pid, cgroup::read_text("/proc/" + std::to_string(pid) + "/stat").value_or(""));
}

// No pid is given away while a session has its number: so the session is gone, too.
bool is_reused(const TreeSigns& signs) {
  return signs.reaped && (::kill(signs.root, 0) == 0 || errno == EPERM);
}

// Whether it is of the worker by itself, not only by its parents.
bool has_sign(const ProcessEntry& entry, const TreeSigns& signs, bool reused) {
  const bool in_session = entry.pid == signs.root || entry.session == signs.root;
  return (in_session && !reused) || was_started_with(entry, signs.marker, true);
}

}  // namespace

std::vector<ProcessEntry> list_processes() {
  std::vector<ProcessEntry> found;
  for (const std::string& path : cgroup::subdirectories("/proc")) {
    const std::string name = path.substr(path.rfind('/') + 1);
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || *rest != '\0') continue;
    const ProcessEntry entry = parse_stat(pid, cgroup::read_text(path + "/stat").value_or(""));
    if (entry.pid != 0) found.push_back(entry);
  }
  return found;
}

void SeenProcesses::add(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    const ProcessEntry entry = read_entry(pid);
    if (is_alive(entry)) add(entry);
  }
}

bool SeenProcesses::contains(const ProcessEntry& entry) const {
  const auto found = started_.find(entry.pid);
  return found != started_.end() && found->second == entry.started;
}

bool SeenProcesses::any_alive() const {
  return std::any_of(started_.begin(), started_.end(), [](const auto& each) {
    const ProcessEntry entry = read_entry(each.first);
    return is_alive(entry) && entry.started == each.second;
  });
}

std::vector<pid_t> find_tree(const TreeSigns& signs, SeenProcesses& seen) {
  const std::vector<ProcessEntry> all = list_processes();
  const bool reused = is_reused(signs);
  const pid_t self = ::getpid();
  std::set<pid_t> members;
  for (const ProcessEntry& entry : all) {
    if (entry.pid == self || entry.pid == 1 || !is_alive(entry)) continue;
    if (seen.contains(entry) || has_sign(entry, signs, reused)) members.insert(entry.pid);
  }
  add_descendants(all, members);
  SeenProcesses now;  // without those that have ended
  for (const ProcessEntry& entry : all)
    if (members.contains(entry.pid)) now.add(entry);
  seen = std::move(now);
  return {members.begin(), members.end()};
}

bool has_orphans(const TreeSigns& signs, const SeenProcesses& seen) {
  const auto children = own_children();
  if (!children) {
    SeenProcesses found = seen;
    return !find_tree(signs, found).empty();
  }
  const bool reused = is_reused(signs);
  return std::any_of(children->begin(), children->end(), [&](pid_t pid) {
    const bool is_root = pid == signs.root && !signs.reaped;
    if (signs.known.contains(pid) && !is_root) return false;
    const ProcessEntry entry = read_entry(pid);
    if (!is_alive(entry)) return false;
    return is_root || seen.contains(entry) || has_sign(entry, signs, reused);
  });
}

std::vector<pid_t> tree_below(const std::vector<ProcessEntry>& all, pid_t root) {
  std::set<pid_t> members;
  for (const ProcessEntry& entry : all)
    if (is_alive(entry) && (entry.pid == root || entry.session == root)) members.insert(entry.pid);
  add_descendants(all, members);
  return {members.begin(), members.end()};
}

pid_t tracer_of(pid_t pid) {
  const std::string text =
      cgroup::read_text("/proc/" + std::to_string(pid) + "/status").value_or("");
  constexpr std::string_view kField = "\nTracerPid:\t";
  const auto at = text.find(kField);
  pid_t tracer = 0;
  if (at != std::string::npos)
    std::from_chars(&text[at] + kField.size(), text.data() + text.size(), tracer);
  return tracer;
}

std::string marker_prefix(const std::string& runtime_directory) {
  return "NOTIFY_SOCKET=" + runtime_directory + "/";
}

std::size_t kill_marked(const std::string& prefix) {
  using namespace std::chrono_literals;
  std::set<pid_t> killed;
  const auto patience = std::chrono::steady_clock::now() + 2s;
  while (std::chrono::steady_clock::now() < patience) {
    const std::vector<ProcessEntry> all = list_processes();
    std::set<pid_t> members;
    for (const ProcessEntry& entry : all) {
      const bool spared = entry.pid == ::getpid() || entry.pid == 1 || !is_alive(entry);
      if (!spared && was_started_with(entry, prefix, false)) members.insert(entry.pid);
    }
    if (members.empty()) break;
    add_descendants(all, members);
    for (const pid_t pid : members) ::kill(pid, SIGKILL);
    killed.insert(members.begin(), members.end());
    std::this_thread::sleep_for(2ms);
  }
  return killed.size();
}

}  // namespace poolwarden::process
