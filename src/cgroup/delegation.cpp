#include "cgroup/delegation.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "cgroup/kernel_files.h"
#include "cgroup/members.h"

namespace poolwarden::cgroup {
namespace {

const std::vector<std::string> kWanted = {"memory", "cpu", "pids", "io", "cpuset"};
// What is measured, or had by other means as well.
const std::set<std::string> kDispensable = {"io", "cpuset"};

// Not those below it.
std::vector<std::string> processes_in(const Group& group) {
  return split_words(read_text(group.path + "/cgroup.procs").value_or(""));
}

bool has_only(std::string_view characters, std::string_view text) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// As supervisors are called, poolwarden-1a2b3c4d, and trials.
bool is_name_of_base(std::string_view name) {
  constexpr std::string_view kPrefix = "poolwarden-", kTrial = kTrialPrefix;
  constexpr std::size_t kDigits = 8;
  if (name.starts_with(kTrial)) return has_only("0123456789", name.substr(kTrial.size()));
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kDigits &&
         has_only("0123456789abcdef", name.substr(kPrefix.size()));
}

Result<void> enable(const Group& group, const std::string& controller) {
  return write_text(group.path + "/cgroup.subtree_control", "+" + controller);
}

// Processes and controllers handed down exclude each other, but not in the root of the hierarchy,
// which has no cgroup.events (cgroup-v2.rst).
bool processes_are_in_the_way(const Group& own) {
  return std::any_of(kWanted.begin(), kWanted.end(), [&](auto& name) { return own.has(name); }) &&
         ::access((own.path + "/cgroup.events").c_str(), F_OK) == 0 && !processes_in(own).empty();
}

constexpr int kPasses = 20;
const std::string kNobody = "0";  // who is in a pid namespace that cannot be seen from here

// Those who are moved may fork meanwhile.
void move_everybody(const Group& own, const std::string& procs) {
  bool any = true;
  for (int pass = 0; any && pass < kPasses; ++pass) {
    any = false;
    for (const std::string& pid : processes_in(own))
      if (pid != kNobody) any |= write_text(procs, pid).has_value();
  }
}

Result<void> move_processes(const Group& own, const std::string& leaf, const Company& company) {
  if (auto made = make_directory(leaf); !made) return made;
  const std::string procs = leaf + "/cgroup.procs";
  if (auto moved = write_text(procs, "0"); !moved) return moved;
  if (company.companion) (void)write_text(procs, std::to_string(*company.companion));
  if (company.is_everybody) move_everybody(own, procs);
  return {};
}

std::string sentence(const Error& error, const Group& own) {
  const std::string& text = error.message;
  const auto others = processes_in(own);
  if (error.code != std::errc::device_or_resource_busy || others.empty()) return text;
  const auto known = std::find_if(others.begin(), others.end(),
                                  [](const std::string& pid) { return pid != kNobody; });
  const std::string who =
      known == others.end() ? "of another pid namespace" : "pid " + *known + "…";
  return text + ": other processes are in the supervisor's own cgroup (" + who +
         "); start poolwarden as the container's first process, or with Delegate=yes as a systemd "
         "service";
}

}  // namespace

std::string outside_of_supervisor_leaf(const std::string& path, const std::string& name) {
  const std::string leaf = std::string("/") + kSupervisorLeaf;
  if (!path.ends_with(leaf)) return path;
  const std::string base = path.substr(0, path.size() - leaf.size());
  const auto slash = base.rfind('/');
  if (slash == std::string::npos) return path;
  const std::string found = base.substr(slash + 1);
  return found == name || is_name_of_base(found) ? base.substr(0, slash) : path;
}

std::set<std::string> enable_controllers(const Group& group) {
  std::set<std::string> enabled;
  for (const std::string& controller : group.controllers)
    if (enable(group, controller)) enabled.insert(controller);
  return enabled;
}

Result<Delegated> delegate(const Group& own, const std::string& name, const Company& company) {
  Delegated made{{own.path + "/" + name, true, {}}, {}};
  if (auto created = make_directory(made.base.path); !created) return created.error();
  // Not only when the kernel refuses: without the memory controller it would let cpu and pids be
  // handed down all the same, and make this a threaded subtree, which no process of ours may enter.
  if (processes_are_in_the_way(own)) {
    const auto moved = move_processes(own, made.base.path + "/" + kSupervisorLeaf, company);
    if (!moved) {
      (void)remove_group(made.base.path);
      return moved.error();
    }
  }
  for (const std::string& controller : kWanted) {
    if (!own.has(controller)) continue;
    if (const auto enabled = enable(own, controller); enabled) {
      made.base.controllers.insert(controller);
    } else if (!kDispensable.contains(controller)) {
      made.missing.push_back("cannot limit " + controller + ": " + sentence(enabled.error(), own));
    }
  }
  made.base.controllers = enable_controllers(made.base);
  return made;
}

void leave_supervisor_leaf(const Group& own, const Group& base) {
  for (const Group* group : {&base, &own})
    for (const std::string& controller : kWanted)
      (void)write_text(group->path + "/cgroup.subtree_control", "-" + controller);
  const std::string leaf = base.path + "/" + kSupervisorLeaf;
  for (const int pid : members(leaf))
    (void)write_text(own.path + "/cgroup.procs", std::to_string(pid));
  (void)write_text(own.path + "/cgroup.procs", "0");
}

}  // namespace poolwarden::cgroup
