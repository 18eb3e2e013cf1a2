#include "doctor/engine.h"

#include <algorithm>

#include "doctor/action_checks.h"
#include "doctor/as_worker.h"
#include "doctor/containment_checks.h"
#include "doctor/identity_checks.h"
#include "doctor/path_checks.h"
#include "doctor/program_checks.h"
#include "doctor/setting_checks.h"
#include "process/free_port.h"
#include "process/program_file.h"
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
  void look(const Teller& teller) const;
  void look_at_actions(const Teller& teller) const;
  void look_at_plan(const process::Account& account, const Teller& teller) const;
  void look_as_worker(const process::LaunchPlan& plan, const Teller& teller) const;
  void look_at_limits();
  std::string cure_of_limits(const std::string& refused) const;
  process::Environment environment_for(const process::Account& account) const;
  void as_the_worker_sees_it(const process::LaunchPlan& plan, const Teller& teller) const;
  void add(Check check) { checks_.push_back(std::move(check)); }
  void add(Checks checks) {
    for (Check& check : checks) add(std::move(check));
  }

  const pool::PoolSettings& pool_;
  const worker::WorkerSettings& settings_;
  const Surroundings& around_;
  Checks checks_;
};

Section PoolLook::run() {
  add(look_patiently(around_.patience, [this](const Teller& teller) { look(teller); }));
  look_at_limits();
  add(check_lint(pool_.name, around_.lint));
  return {"pool " + pool_.name, pool_.name, std::move(checks_)};
}

void PoolLook::look(const Teller& teller) const {
  teller.looking_at("identity", "the database of users and groups (nsswitch.conf)");
  const IdentityFound identity =
      check_identity(settings_.identity, around_.refusal(pool_), around_.host);
  teller.tell(identity.checks);
  // Who cannot be, cannot look: what is wrong for everybody is found all the same.
  look_at_plan(identity.account.value_or(process::Account{}), teller);
  look_at_actions(teller);
}

void PoolLook::look_at_actions(const Teller& teller) const {
  const auto look = [&](const std::string& setting, const std::vector<std::string>& command) {
    const std::string program = command.empty() ? "" : command.front();
    teller.looking_at(setting, program, program.starts_with('/') ? program : "");
    teller.tell(check_action(setting, command, process::inherited_environment()));
  };
  look("rapid_fail.action", pool_.rapid_fail.action);
  look("orphan.action", pool_.orphan.action);
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

void PoolLook::look_at_plan(const process::Account& account, const Teller& teller) const {
  const process::Environment environment = environment_for(account);
  const std::string command = settings_.command.empty() ? "" : settings_.command.front();
  teller.looking_at("program", command + ", or what PATH names before it",
                    command.starts_with('/') ? command : "");
  const auto plan =
      process::plan_worker(settings_, 0, account, environment, around_.tree.available_memory());
  if (!plan) {
    const diagnosis::NotStarted& refused = plan.error();
    const bool is_program = refused.stage == diagnosis::SpawnStage::Exec;
    teller.tell(problem(
        is_program ? "program" : std::string(name(refused.stage)), refused.what, "",
        is_program ? "install it, correct `command`, or set PATH in the pool's environment" : ""));
  } else {
    look_as_worker(*plan, teller);
  }
  teller.tell(check_names(settings_, environment));
}

void PoolLook::look_as_worker(const process::LaunchPlan& plan, const Teller& teller) const {
  const Look look = [this, &plan](const Teller& as_it) { as_the_worker_sees_it(plan, as_it); };
  auto looked = as_worker(plan, teller, look);
  if (looked) return;
  const std::string refused = looked.error().message;
  process::LaunchPlan without = plan;
  without.open_files.reset();
  without.core.reset();
  without.affinity.reset();
  looked = as_worker(without, teller, look);
  teller.tell(problem(looked ? "limits" : "identity", refused, "",
                      cure_of_rlimits(plan, refused, around_.host)));
}

void PoolLook::as_the_worker_sees_it(const process::LaunchPlan& plan, const Teller& teller) const {
  const std::string directory = plan.directory.value_or("");
  const std::string program = process::absolute_path(plan.program, directory);
  teller.looking_at("program", program, program);
  teller.tell(check_program({plan.program, directory, plan.environment}));
  if (settings_.command.size() == 3 && settings_.command[0] == "/bin/sh" &&
      settings_.command[1] == "-c")
    teller.tell(note("program", "what the shell starts is not looked at", "",
                     "write `command` as a list, and it runs without a shell"));
  if (!directory.empty()) {
    teller.looking_at("directory", directory, directory);
    teller.tell(check_directory(directory));
  }
  if (!around_.runtime_directory.empty()) {
    teller.looking_at("sockets", around_.runtime_directory, around_.runtime_directory);
    teller.tell(check_socket_directory(around_.runtime_directory));
  }
  if (plan.core.value_or(0) == 0) return;
  teller.looking_at("core files", "where core files go", directory);
  teller.tell(check_core_place(around_.kernel.core_pattern, directory));
}

// Where cgroups with limits can be made, only what v1 does not have is left to be refused.
std::string PoolLook::cure_of_limits(const std::string& refused) const {
  const bool is_of_v2 = refused.find("cgroup v1 has nothing like") != std::string::npos;
  const std::string granted = cure_of_cgroups(around_.tree.report(), around_.host);
  return granted.empty() && is_of_v2
             ? "boot the machine with cgroup v2: systemd.unified_cgroup_hierarchy=1"
             : granted;
}

// The real thing: a cgroup with the limits of this pool, for a moment.
void PoolLook::look_at_limits() {
  if (!worker::needs_cgroup(settings_.limits)) return;
  const auto values = process::cgroup_limits(settings_.limits, around_.tree.available_memory());
  auto leaf = around_.tree.make_leaf(pool_.name, "doctor", values, settings_.containment);
  if (!leaf) {
    const std::string refused = take_apart(leaf.error().message, around_.host).what;
    const std::string cure = cure_of_limits(refused);
    add(problem("limits", refused, "",
                (cure.empty() ? "set" : cure + ". Or set") +
                    " containment: best_effort, and it runs without the limit"));
    return;
  }
  for (const std::string& sentence : leaf->unenforced())
    add(note("limits", sentence, "", cure_of_limits(sentence)));
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
