#include "cgroup/cpuset.h"

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

std::string above(const std::string& path) { return path.substr(0, path.rfind('/')); }

// A list of CPUs or of memory nodes, "0-1"; empty where none is known.
std::string list_in(const std::string& file) {
  const auto words = split_words(read_text(file).value_or(""));
  return words.empty() ? "" : words.front();
}

Result<void> inherit_file(const std::string& path, const std::string& file) {
  // It may have them: of a former supervisor, or by cgroup.clone_children.
  if (!list_in(path + file).empty()) return {};
  const std::string source = above(path) + file, inherited = list_in(source);
  if (inherited.empty()) return failure("cannot use cpuset " + path + ": " + source + " is empty");
  return write_text(path + file, inherited);
}

}  // namespace

Result<void> inherit_cpuset(const Group& group) {
  if (group.unified || !group.has("cpuset")) return {};
  if (auto cpus = inherit_file(group.path, "/cpuset.cpus"); !cpus) return cpus;
  return inherit_file(group.path, "/cpuset.mems");
}

Result<void> restrict_cpus(const Group& group, const std::string& cpus) {
  const auto written = write_text(group.path + "/cpuset.cpus", cpus);
  if (written) return {};
  const char* had = group.unified ? "/cpuset.cpus.effective" : "/cpuset.cpus";
  const std::string there_are = list_in(above(group.path) + had);
  if (there_are.empty()) return written.error();
  return Error{written.error().code,
               written.error().message + "; the cgroup above has CPUs " + there_are};
}

std::string only_affinity(const Error& why) {
  return "limits.affinity is set by sched_setaffinity(2) alone, which a worker may change: " +
         why.message;
}

bool is_only_cpuset(const Group& group) {
  return !group.unified && group.controllers == std::set<std::string>{"cpuset"};
}

}  // namespace poolwarden::cgroup
