#include "cgroup/cpuset.h"

#include "cgroup/kernel_files.h"

namespace poolwarden::cgroup {
namespace {

Result<void> inherit_file(const std::string& path, const std::string& file) {
  // It may have them: of a former supervisor, or by cgroup.clone_children.
  if (!split_words(read_text(path + file).value_or("")).empty()) return {};
  const std::string above = path.substr(0, path.rfind('/'));
  const auto words = split_words(read_text(above + file).value_or(""));
  if (words.empty())
    return failure("cannot use cpuset " + path + ": " + above + file + " is empty");
  return write_text(path + file, words.front());
}

// "0-1"; empty where that is not known.
std::string cpus_above(const Group& group) {
  const std::string above = group.path.substr(0, group.path.rfind('/'));
  const std::string file = group.unified ? "/cpuset.cpus.effective" : "/cpuset.cpus";
  const auto words = split_words(read_text(above + file).value_or(""));
  return words.empty() ? "" : words.front();
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
  const std::string above = cpus_above(group);
  return above.empty() ? written.error()
                       : Error{written.error().code,
                               written.error().message + "; the cgroup above has CPUs " + above};
}

std::string only_affinity(const Error& why) {
  return "limits.affinity is set by sched_setaffinity(2) alone, which a worker may change: " +
         why.message;
}

bool is_only_cpuset(const Group& group) {
  return !group.unified && group.controllers == std::set<std::string>{"cpuset"};
}

}  // namespace poolwarden::cgroup
