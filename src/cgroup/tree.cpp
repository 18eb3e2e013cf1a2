#include "cgroup/tree.h"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <sstream>
#include <thread>

#include "cgroup/cpuset.h"
#include "cgroup/delegation.h"
#include "cgroup/kernel_files.h"
#include "cgroup/members.h"
#include "cgroup/read_usage.h"

namespace poolwarden::cgroup {
namespace {

using namespace std::chrono_literals;

const char* const kLost =
    ": limits.memory, limits.cpu and limits.pids cannot be enforced with it, nor can what workers "
    "use be read from it";

// A pool may have any name, also that of our own leaf.
std::string directory_name(const std::string& pool) {
  std::string name = pool == kSupervisorLeaf ? pool + "_" : pool;
  std::replace(name.begin(), name.end(), '/', '_');
  if (name.starts_with('.')) name.front() = '_';
  return name;
}

void step_out_of_supervisor_leaf(Group& own, const std::string& name) {
  const std::string outside = outside_of_supervisor_leaf(own.path, name);
  if (!own.unified || outside == own.path) return;
  own.path = outside;
  const auto text = read_text(own.path + "/cgroup.controllers");
  const auto words = split_words(text.value_or(""));
  own.controllers = {words.begin(), words.end()};
}

std::vector<Hierarchy> find_around(const Places& places, const std::string& name) {
  auto found = find_hierarchies(read_text(places.mountinfo).value_or(""),
                                read_text(places.self_cgroup).value_or(""));
  for (Hierarchy& hierarchy : found) step_out_of_supervisor_leaf(hierarchy.own, name);
  return found;
}

Group base_below(Group own, const std::string& name) {
  own.path += "/" + name;
  return own;
}

// The root of a cgroup namespace is the container's: all in it are ours to move.
bool owns_all(const Places& places, const std::string& name) {
  const std::string unified = "0::";
  std::istringstream lines(read_text(places.self_cgroup).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(unified)) continue;
    const std::string own = outside_of_supervisor_leaf(line.substr(unified.size()), name);
    return own.empty() || own == "/";
  }
  return false;
}

std::string refusal(const std::string& controllers, const std::string& why, const Cure& cure) {
  return "cannot create cgroups of " + controllers + ": " + why + kLost + describe(cure);
}

Result<void> make_base(const Group& base) {
  if (auto made = make_directory(base.path); !made) return made;
  if (base.unified) (void)enable_controllers(base);
  // Without it a pool's count leaves out its workers; newer kernels know nothing else.
  if (!base.unified && base.has("memory"))
    (void)write_text(base.path + "/memory.use_hierarchy", "1");
  return inherit_cpuset(base);
}

// All that fail alike: who cures one limit only would meet the next.
Error all_of(const std::vector<Error>& failed) {
  Error all = failed.front();
  for (const Error& other : std::span(failed).subspan(1))
    if (other.code == all.code) all.message += "; " + other.message;
  return all;
}

bool can_freeze(const Group& group) {
  return ::access((group.path + "/cgroup.freeze").c_str(), W_OK) == 0;
}

}  // namespace

std::string leaf_name(std::uint32_t slot, std::uint64_t generation) {
  return std::to_string(slot) + "-" + std::to_string(generation);
}

Tree Tree::open(const Places& places, const std::string& name, std::optional<pid_t> companion) {
  Tree tree;
  tree.hierarchies_ = find_around(places, name);
  for (const Hierarchy& hierarchy : tree.hierarchies_)
    if (hierarchy.own.unified)
      tree.open_unified(hierarchy, name, {owns_all(places, name), companion});
  Refusals refused;
  for (const Hierarchy& hierarchy : tree.hierarchies_)
    if (!hierarchy.own.unified) tree.open_v1(hierarchy, name, refused);
  for (const auto& [why, controllers] : refused) {
    tree.report_.cure = cure_of(obstacle_of(why), false, ::geteuid());
    tree.report_.missing.push_back(refusal(controllers, why.message(), tree.report_.cure));
  }
  tree.finish_report();
  return tree;
}

Tree Tree::find(const Places& places, const std::string& name) {
  Tree tree;
  tree.hierarchies_ = find_around(places, name);
  for (const Hierarchy& hierarchy : tree.hierarchies_)
    tree.bases_.push_back(base_below(hierarchy.own, name));
  return tree;
}

void Tree::open_unified(const Hierarchy& hierarchy, const std::string& name,
                        const Company& company) {
  auto made = delegate(hierarchy.own, name, company);
  if (!made) {
    report_.cgroup = "v2_readonly";
    report_.cure = cure_of(obstacle_of(made.error().code), true, ::geteuid());
    report_.missing.push_back(made.error().message + kLost + describe(report_.cure));
    return;
  }
  report_.missing = std::move(made->missing);
  bases_.push_back(std::move(made->base));
}

void Tree::open_v1(const Hierarchy& hierarchy, const std::string& name, Refusals& refused) {
  // v2 freezes better, but not before Linux 5.2.
  const bool only_freezer = hierarchy.own.controllers == std::set<std::string>{"freezer"};
  const Group* unified = unified_of(bases_);
  if (only_freezer && unified && can_freeze(*unified)) return;
  Group base = base_below(hierarchy.own, name);
  const auto made = make_base(base);
  if (!made && is_only_cpuset(base)) {
    no_cpuset_ = made.error();
    (void)remove_group(base.path);
    return;
  }
  if (!made) {
    std::string& controllers = refused[made.error().code];
    for (const std::string& controller : base.controllers)
      controllers += (controllers.empty() ? "" : ", ") + controller;
    return;
  }
  bases_.push_back(std::move(base));
}

void Tree::finish_report() {
  const bool unified = unified_of(bases_) != nullptr;
  const bool v1 = std::any_of(bases_.begin(), bases_.end(), [](auto& g) { return !g.unified; });
  if (unified) report_.cgroup = v1 ? "hybrid" : "v2_delegated";
  if (!unified && v1) report_.cgroup = "v1";
  report_.memory_limits = having(bases_, "memory");
  report_.cpu_limits = having(bases_, "cpu");
  report_.pids_limits = having(bases_, "pids");
  report_.cpusets = having(bases_, "cpuset");
  if (!report_.cpusets) report_.stand_ins.push_back(only_affinity(no_cpuset_));
  if (hierarchies_.empty()) {
    report_.cure = cure_of(Obstacle::NotMounted, false, ::geteuid());
    report_.missing.push_back("cannot find a cgroup file system" + std::string(kLost) +
                              describe(report_.cure));
  }
  for (const char* controller : {"memory", "cpu", "pids"}) {
    if (bases_.empty() || having(bases_, controller)) continue;
    const std::string lost = "cannot limit " + std::string(controller) + ": ";
    const bool is_told = std::any_of(report_.missing.begin(), report_.missing.end(),
                                     [&](auto& sentence) { return sentence.starts_with(lost); });
    if (is_told) continue;  // why the kernel refuses to hand it down
    report_.missing.push_back(lost + "no cgroup that can be written has its controller" +
                              describe(cure_of(Obstacle::NoController, unified, ::geteuid())));
  }
}

Result<Group> Tree::make_in(const Group& base, const std::string& pool,
                            const std::string& leaf) const {
  Group group = base;
  group.path += "/" + directory_name(pool);
  // Somebody may have tidied up: an empty cgroup is easily removed.
  if (!is_directory(base.path))
    if (auto made = make_base(base); !made) return made.error();
  if (auto made = make_directory(group.path); !made) return made.error();
  if (auto inherited = inherit_cpuset(group); !inherited) return inherited.error();
  if (group.unified) group.controllers = enable_controllers(group);
  group.path += "/" + leaf;
  // One that a worker left behind would bring its counters along.
  if (::rmdir(group.path.c_str()) < 0 && errno == EBUSY)
    return errno_error(EBUSY, "cannot create cgroup " + group.path);
  if (auto made = make_directory(group.path); !made) return made.error();
  if (auto inherited = inherit_cpuset(group); !inherited) return inherited.error();
  return group;
}

Result<Leaf> Tree::make_leaf(const std::string& pool, const std::string& leaf,
                             const LimitValues& limits, worker::Containment containment) const {
  std::vector<Group> groups;
  std::vector<Error> failed;
  std::vector<std::string> sentences;
  for (const Group& base : bases_) {
    if (is_only_cpuset(base) && !limits.cpus) continue;  // it costs, and does nothing
    auto made = make_in(base, pool, leaf);
    if (made) {
      groups.push_back(std::move(*made));
    } else if (is_only_cpuset(base)) {
      sentences.push_back(only_affinity(made.error()));
    } else {
      failed.push_back(made.error());
    }
  }
  AppliedLimits applied = apply_limits(groups, limits);
  for (Error& error : applied.failed) failed.push_back(std::move(error));
  for (std::string& sentence : applied.weakened) sentences.push_back(std::move(sentence));
  for (const Error& error : failed) sentences.push_back(error.message);
  Leaf made(
      std::move(groups), std::move(sentences),
      [ledger = limit_hits_, pool](const LimitHits& counted) { ledger->ended(pool, counted); });
  if (failed.empty() || containment == worker::Containment::BestEffort) return made;
  (void)made.remove();
  return all_of(failed);
}

std::vector<Group> Tree::groups_of(const std::string& pool, const std::string& leaf) const {
  std::vector<Group> groups;
  for (Group group : bases_) {
    group.path += "/" + directory_name(pool);
    if (!leaf.empty()) group.path += "/" + leaf;
    if (is_directory(group.path)) groups.push_back(std::move(group));
  }
  return groups;
}

std::optional<Usage> Tree::pool_usage(const std::string& pool,
                                      const std::vector<std::string>& running) const {
  const LimitHits ended = limit_hits_->of_ended(pool);
  const auto groups = groups_of(pool);
  if (groups.empty()) return std::nullopt;
  Usage usage = read_usage(groups);
  usage.limit_hits = limit_hits_->total(pool, ended, read_limit_hits_below(groups));
  if (const Group* memory = having(groups, "memory")) {
    std::uint64_t kills = 0;
    for (const std::string& leaf : running) {
      const std::string path = memory->path + "/" + leaf;
      kills += read_oom_kills({{path, memory->unified, memory->controllers}}).value_or(0);
    }
    usage.memory_events["oom_kill"] = kills;
  }
  return usage;
}

std::optional<Usage> Tree::leaf_usage(const std::string& pool, const std::string& leaf) const {
  const auto groups = groups_of(pool, leaf);
  return groups.empty() ? std::nullopt : std::optional(read_usage(groups));
}

std::vector<int> Tree::leaf_members(const std::string& pool, const std::string& leaf) const {
  return Leaf(groups_of(pool, leaf), {}).members();
}

Count Tree::own_oom_kills() const {
  std::vector<Group> groups;
  for (const Hierarchy& hierarchy : hierarchies_) groups.push_back(hierarchy.own);
  return read_own_oom_kills(groups);
}

std::string Tree::memory_cgroup(const std::string& pool, const std::string& leaf) const {
  const std::vector<Group> groups = groups_of(pool, leaf);
  const Group* memory = having(groups, "memory");
  return memory ? memory->path : "";
}

std::size_t Tree::remove_leftovers() const {
  std::vector<Group> left;  // one entry a pool and hierarchy
  for (const Group& base : bases_) {
    for (const std::string& path : subdirectories(base.path))
      if (!path.ends_with(std::string("/") + kSupervisorLeaf))
        left.push_back({path, base.unified, base.controllers});
  }
  std::set<int> killed;
  const auto patience = std::chrono::steady_clock::now() + 2s;
  while (has_members(left) && std::chrono::steady_clock::now() < patience) {
    for (const Group& group : left) {
      for (const int pid : members(group.path)) killed.insert(pid);
      (void)kill_members({group});
    }
    std::this_thread::sleep_for(2ms);
  }
  for (const Group& group : left) (void)remove_group(group.path);
  return killed.size();
}

bool Tree::remove() const {
  bool is_gone = true;
  for (const Group& base : bases_) {
    if (!is_directory(base.path)) continue;
    const bool somebody_moved = base.unified && is_directory(base.path + "/" + kSupervisorLeaf);
    // The pools first: controllers cannot be taken from us while they have them.
    (void)remove_group(base.path);
    if (somebody_moved) {
      const auto own = std::find_if(hierarchies_.begin(), hierarchies_.end(),
                                    [](const Hierarchy& h) { return h.own.unified; });
      leave_supervisor_leaf(own->own, base);
    }
    is_gone &= remove_group(base.path).has_value();
  }
  return is_gone;
}

MemoryRoom Tree::memory() const { return memory_room(hierarchies_); }

}  // namespace poolwarden::cgroup
