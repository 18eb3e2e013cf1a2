#include "doctor/containment_checks.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/units.h"
#include "process/credentials.h"

namespace poolwarden::doctor {
namespace {

constexpr int kStrict = 1;       // seccomp(2), as proc(5) shows it
constexpr int kAnyOfMyOwn = 0;   // of Yama: any process of the same user
constexpr int kDescendants = 1;  // only those that one has started oneself

std::uint64_t bit(unsigned capability) { return std::uint64_t{1} << capability; }

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string what_can_be_limited(const cgroup::ContainmentReport& cgroup) {
  std::vector<std::string> found;
  if (cgroup.memory_limits) found.emplace_back("memory");
  if (cgroup.cpu_limits) found.emplace_back("cpu");
  if (cgroup.pids_limits) found.emplace_back("pids");
  return found.empty() ? "nothing" : listed(found);
}

Check check_cgroup(const cgroup::ContainmentReport& cgroup, const Host& host) {
  const bool all = cgroup.memory_limits && cgroup.cpu_limits && cgroup.pids_limits;
  const std::string found = cgroup.cgroup + ": limits can be set on " + what_can_be_limited(cgroup);
  if (all) return ok("cgroup", found);
  std::string cause;
  for (const std::string& sentence : cgroup.missing)
    cause += (cause.empty() ? "" : ". ") + take_apart(sentence, host).what;
  return note("cgroup", found, cause, cure_of_cgroups(cgroup, host));
}

Check check_reaping(const KernelFacts& facts) {
  if (facts.is_first_process) return ok("orphans", "reaped as PID 1");
  if (facts.can_be_subreaper) return ok("orphans", "reaped as their subreaper");
  return note("orphans", "what workers leave behind is out of reach",
              "prctl(PR_SET_CHILD_SUBREAPER) is refused",
              "start poolwarden as the first process of its container");
}

// Those that poolwarden has a use for.
constexpr std::array kOfUse = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,     CAP_KILL,
                               CAP_SETGID, CAP_SETUID,       CAP_SYS_PTRACE, CAP_SYS_RESOURCE};

Check check_capabilities(const KernelFacts& facts) {
  const std::uint64_t ours = facts.privileges.capabilities;
  const auto count = static_cast<std::uint64_t>(std::popcount(ours));
  if (count == 0) return ok("capabilities", "none");
  if (count >= facts.known_capabilities) return ok("capabilities", "all");
  std::uint64_t of_use = 0;
  for (const int capability : kOfUse) of_use |= bit(static_cast<unsigned>(capability));
  const auto lacking = process::capability_names(facts.privileges.lacks(of_use));
  return ok("capabilities", std::to_string(count) + " of " +
                                std::to_string(facts.known_capabilities) +
                                (lacking.empty() ? "" : "; not among them: " + listed(lacking)));
}

Check check_system_calls(const KernelFacts& facts) {
  if (facts.pidfd_error != 0)
    return problem(
        "seccomp", "pidfd_open(2) is refused: " + std::string(std::strerror(facts.pidfd_error)),
        "poolwarden follows its workers by it",
        "use Linux 5.3 or later, and a seccomp profile that lets it through, as Docker's "
        "own does");
  const std::string privileges =
      facts.no_new_privileges ? "; no_new_privs is set for all workers" : "";
  if (facts.seccomp_mode == kStrict)
    return problem("seccomp", "only four system calls are let through", "its mode is strict", "");
  return ok("seccomp", (facts.seccomp_mode == 0 ? "off" : "a filter is in force") + privileges);
}

Check check_swap(const KernelFacts& facts) {
  return ok("swap", facts.swap == 0 ? "none" : format_bytes(facts.swap));
}

Check check_ptrace(const KernelFacts& facts, const Host& host) {
  const bool may_all = facts.privileges.lacks(bit(CAP_SYS_PTRACE)) == 0;
  if (may_all || facts.ptrace_scope == kAnyOfMyOwn) {
    const bool others = may_all || !facts.privileges.is_root();
    if (others) return ok("ptrace", "can be used on workers");
  } else if (facts.ptrace_scope == kDescendants && !facts.privileges.is_root()) {
    return ok("ptrace", "can be used on workers, by who started them");
  }
  return note("ptrace", "cannot be used on workers of other users",
              "without it no drill exit=N, no debugger at a worker that runs, and open files of "
              "workers are not counted",
              cure(cure_of_capability("SYS_PTRACE"), host));
}

Check check_kernel_log(const KernelFacts& facts, const Host& host) {
  if (facts.kernel_log_error == 0) return ok("kernel log", "can be read");
  cgroup::Cure cures = cure_of_capability("SYSLOG");
  cures.docker = "--device /dev/kmsg " + cures.docker;
  cures.kubernetes = "privileged: true";
  return note("kernel log", "cannot be read",
              "/dev/kmsg: " + std::string(std::strerror(facts.kernel_log_error)) +
                  "; the address of a crash without a core file is only told there",
              cure(cures, host));
}

}  // namespace

std::string cure_of_cgroups(const cgroup::ContainmentReport& cgroup, const Host& host) {
  std::string told = cure(cgroup.cure, host);
  if (!told.empty() || cgroup.missing.empty()) return told;
  return take_apart(cgroup.missing.front(), host).cure;
}

cgroup::Cure cure_of_capability(const std::string& name) {
  return {"--cap-add " + name, "capabilities: {add: [" + name + "]}",
          "CapabilityBoundingSet=CAP_" + name, ""};
}

Checks check_containment(const KernelFacts& facts, const cgroup::ContainmentReport& cgroup,
                         const Host& host) {
  return {check_cgroup(cgroup, host),   check_reaping(facts), check_capabilities(facts),
          check_system_calls(facts),    check_swap(facts),    check_ptrace(facts, host),
          check_kernel_log(facts, host)};
}

}  // namespace poolwarden::doctor
