#include "doctor/engine.h"

#include <algorithm>

#include "doctor/as_worker.h"
#include "doctor/containment_checks.h"
#include "doctor/identity_checks.h"
#include "doctor/path_checks.h"
#include "doctor/program_checks.h"
#include "doctor/setting_checks.h"
#include "process/free_port.h"
#include "process/worker_plan.h"

namespace poolwarden::doctor {
namespace {

using worker::ConnectMode;

std::uint16_t free_port() {
  const auto port = process::find_free_port({});
  return port ? *port : std::uint16_t{0};
}

class PoolLook {
 public:
  PoolLook(const pool::PoolSettings& pool, const Surroundings& around)
      : pool_(pool), settings_(pool.worker), around_(around) {}

  Section run();

 private:
  void look_at_plan(const process::Account& account);
  void look_as_worker(process::LaunchPlan plan);
  void look_at_limits();
  process::Environment environment_for(const process::Account& account) const;
  Checks as_the_worker_sees_it(const process::LaunchPlan& plan) const;
  void add(Check check) { checks_.push_back(std::move(check)); }
  void add(Checks checks) {
    for (Check& check : checks) add(std::move(check));
  }

  const pool::PoolSettings& pool_;
  const worker::WorkerSettings& settings_;
  const Surroundings& around_;
  Checks checks_;
};

std::string refusal_of(const pool::PoolSettings& pool, const Surroundings& around) {
  const auto found = around.refused.find(pool.name);
  return found == around.refused.end() ? "" : found->second;
}

Section PoolLook::run() {
  IdentityFound identity =
      check_identity(settings_.identity, refusal_of(pool_, around_), around_.host);
  add(std::move(identity.checks));
  // Who cannot be, cannot look: what is wrong for everybody is found all the same.
  look_at_plan(identity.account.value_or(process::Account{}));
  look_at_limits();
  add(check_lint(pool_.name, around_.lint));
  return {"pool " + pool_.name, pool_.name, std::move(checks_)};
}

process::Environment PoolLook::environment_for(const process::Account& account) const {
  worker::Assignment assignment;
  assignment.pool = pool_.name;
  assignment.speaks_http = pool_.speaks_http();
  assignment.watch.watchdog = pool_.health.ping.notify;
  process::Place place;
  place.notify_socket = around_.runtime_directory + "/w/1/notify";
  if (pool_.speaks_http() && settings_.connect != ConnectMode::Tcp)
    place.socket = around_.runtime_directory + "/w/1/http";
  if (pool_.speaks_http() && settings_.connect == ConnectMode::Tcp) place.port = free_port();
  return process::worker_environment(process::inherited_environment(), account, assignment,
                                     settings_, place);
}

void PoolLook::look_at_plan(const process::Account& account) {
  const process::Environment environment = environment_for(account);
  auto plan =
      process::plan_worker(settings_, 0, account, environment, around_.tree.available_memory());
  if (!plan) {
    const diagnosis::NotStarted& refused = plan.error();
    const bool is_program = refused.stage == diagnosis::SpawnStage::Exec;
    add(problem(
        is_program ? "program" : std::string(name(refused.stage)), refused.what, "",
        is_program ? "install it, correct `command`, or set PATH in the pool's environment" : ""));
  } else {
    look_as_worker(std::move(*plan));
  }
  add(check_names(settings_, environment));
}

void PoolLook::look_as_worker(process::LaunchPlan plan) {
  const auto look = [this, &plan] { return as_the_worker_sees_it(plan); };
  auto found = as_worker(plan, look);
  if (!found) {
    const std::string refused = found.error().message;
    process::LaunchPlan without = plan;
    without.open_files.reset();
    without.core.reset();
    without.affinity.reset();
    found = as_worker(without, look);
    add(problem(found ? "limits" : "identity", refused, "", cure_of_rlimits(plan, around_.host)));
  }
  if (found) add(std::move(*found));
}

Checks PoolLook::as_the_worker_sees_it(const process::LaunchPlan& plan) const {
  Checks checks = check_program({plan.program, plan.directory.value_or(""), plan.environment});
  if (settings_.command.size() == 3 && settings_.command[0] == "/bin/sh" &&
      settings_.command[1] == "-c")
    checks.push_back(note("program", "what the shell starts is not looked at", "",
                          "write `command` as a list, and it runs without a shell"));
  if (plan.directory) checks.push_back(check_directory(*plan.directory));
  if (!around_.runtime_directory.empty())
    checks.push_back(check_socket_directory(around_.runtime_directory));
  if (plan.core.value_or(0) != 0)
    checks.push_back(check_core_place(around_.kernel.core_pattern, plan.directory.value_or("")));
  return checks;
}

// The real thing: a cgroup with the limits of this pool, for a moment.
void PoolLook::look_at_limits() {
  if (!worker::needs_cgroup(settings_.limits)) return;
  const auto values = process::cgroup_limits(settings_.limits, around_.tree.available_memory());
  auto leaf = around_.tree.make_leaf(pool_.name, "doctor", values, settings_.containment);
  if (!leaf) {
    add(problem("limits", take_apart(leaf.error().message, around_.host).what, "",
                cure_of_cgroups(around_.tree.report(), around_.host) +
                    ". Or set containment: best_effort, and it runs without the limit"));
    return;
  }
  for (const std::string& sentence : leaf->unenforced())
    add(note("limits", sentence, "", cure_of_cgroups(around_.tree.report(), around_.host)));
  if (leaf->unenforced().empty()) add(ok("limits", "can be set"));
  (void)leaf->remove();
}

}  // namespace

Section examine_pool(const pool::PoolSettings& pool, const Surroundings& around) {
  return PoolLook(pool, around).run();
}

Section examine_containment(const Surroundings& around) {
  return {"containment", "", check_containment(around.kernel, around.tree.report(), around.host)};
}

}  // namespace poolwarden::doctor
