#include "process/worker_plan.h"

#include <filesystem>

#include "process/cpu_list.h"
#include "process/preflight.h"

namespace poolwarden::process {

using diagnosis::NotStarted;
using diagnosis::SpawnStage;

namespace {

constexpr const char* kOwnProgram = "/proc/self/exe";

Result<cpu_set_t> usable_cpus(const worker::Limits& limits) {
  if (limits.affinity) return parse_cpu_list(*limits.affinity);
  cpu_set_t ours;
  if (::sched_getaffinity(0, sizeof ours, &ours) < 0)
    return errno_error(errno, "cannot ask for the CPUs that may be used");
  return ours;
}

std::optional<NotStarted> plan_limits(const worker::Limits& limits, std::uint32_t slot,
                                      std::uint64_t available, LaunchPlan& plan) {
  plan.open_files = limits.open_files;
  plan.core = limits.core ? resolve(*limits.core, available) : 0;
  if (!limits.affinity && !limits.affinity_each) return std::nullopt;
  const auto cpus = usable_cpus(limits);
  if (!cpus) return not_started(SpawnStage::Limits, cpus.error());
  plan.affinity = limits.affinity_each ? cpus_of_slot(*cpus, *limits.affinity_each, slot) : *cpus;
  return std::nullopt;
}

std::optional<NotStarted> plan_identity(const worker::Identity& identity, const Account& account,
                                        LaunchPlan& plan) {
  if (account.changes) plan.identity = account.credentials;
  plan.umask = identity.umask;
  plan.no_new_privileges = identity.no_new_privileges;
  if (!identity.capabilities) return std::nullopt;
  const auto set = capability_set(*identity.capabilities);
  if (!set) return not_started(SpawnStage::Identity, set.error());
  plan.capabilities = *set;
  return std::nullopt;
}

std::optional<NotStarted> plan_command(const std::vector<std::string>& command,
                                       const std::vector<std::string>& wrapper, LaunchPlan& plan) {
  for (const std::string& argument : command)
    plan.arguments.push_back(worker::expand(argument, plan.environment));
  const std::string name = plan.arguments.empty() ? "" : plan.arguments.front();
  const auto program = find_program(name, plan.environment, plan.directory.value_or(""));
  if (!program) return not_started(SpawnStage::Exec, program.error());
  plan.program = *program;
  if (wrapper.empty()) return std::nullopt;
  if (name == kOwnProgram) {  // in the wrapper it would be the wrapper's
    std::error_code none;
    const auto own = std::filesystem::read_symlink(kOwnProgram, none);
    if (!none) plan.arguments.front() = own.string();
  }
  plan.program = wrapper.front();
  plan.arguments.insert(plan.arguments.begin(), wrapper.begin(), wrapper.end());
  return std::nullopt;
}

}  // namespace

NotStarted not_started(SpawnStage stage, const Error& error) {
  // describe() adds the errno's words, which a system call's error has at its end already. A
  // failure() comes with no errno of its own.
  if (error.code == std::errc::invalid_argument && error.code.category() == std::generic_category())
    return {stage, 0, error.message};
  std::string what = error.message;
  const std::string words = ": " + error.code.message();
  if (what.ends_with(words)) what.resize(what.size() - words.size());
  return {stage, error.code.value(), what};
}

cgroup::LimitValues cgroup_limits(const worker::Limits& limits, std::uint64_t available,
                                  const std::optional<cpu_set_t>& affinity) {
  cgroup::LimitValues values;
  if (limits.memory) values.memory = resolve(*limits.memory, available);
  if (limits.memory_high) values.memory_high = resolve(*limits.memory_high, available);
  if (limits.cpu && limits.cpu_action == worker::CpuAction::Throttle)
    values.cpu_cores = static_cast<double>(limits.cpu->count) / 100.0;
  values.cpu_weight = limits.cpu_weight;
  values.pids = limits.pids;
  if (affinity) values.cpus = describe_cpus(*affinity);
  return values;
}

Attempt<LaunchPlan> plan_worker(const worker::WorkerSettings& settings, std::uint32_t slot,
                                const Account& account, Environment environment,
                                std::uint64_t available, const std::vector<std::string>& wrapper) {
  LaunchPlan plan;
  plan.environment = std::move(environment);
  if (settings.directory) plan.directory = worker::expand(*settings.directory, plan.environment);
  plan.limits_are_best_effort = settings.containment == worker::Containment::BestEffort;
  if (auto failed = plan_limits(settings.limits, slot, available, plan)) return *failed;
  if (auto failed = plan_identity(settings.identity, account, plan)) return *failed;
  if (auto failed = plan_command(settings.command, wrapper, plan)) return *failed;
  return plan;
}

}  // namespace poolwarden::process
