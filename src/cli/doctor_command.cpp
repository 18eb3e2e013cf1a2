// `doctor`: what would keep pools from running here, before they are started.

#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/control_place.h"
#include "cli/load_settings.h"
#include "cli/lost_privileges.h"
#include "cli/runtime_directory.h"
#include "cli/this_machine.h"
#include "config/lint_settings.h"
#include "control/control_client.h"
#include "doctor/address_checks.h"
#include "doctor/engine.h"
#include "doctor/identity_checks.h"
#include "doctor/path_checks.h"
#include "doctor/report.h"
#include "doctor/trial_tree.h"

namespace poolwarden::cli {
namespace {

using doctor::Checks;

constexpr std::chrono::seconds kSupervisorAnswersWithin{2};

struct Patient {
  std::string file;
  config::Settings settings = config::default_settings();
  std::optional<std::string> only;  // this pool

  bool wants(const pool::PoolSettings& pool) const { return !only || *only == pool.name; }
};

bool supervisor_answers(const std::string& control) {
  return control::ask(
             control, {{"command", "healthcheck"}, {"live", true}},
             [](const boost::json::object&) {}, kSupervisorAnswersWithin)
      .has_value();
}

// `run` tells of the first pool only, and does not begin.
std::map<std::string, std::string> refused_pools(const config::Settings& settings,
                                                 const process::Privileges& ours) {
  std::map<std::string, std::string> refused;
  for (const pool::PoolSettings& pool : settings.pools) {
    config::Settings alone = settings;
    alone.pools = {pool};
    if (const auto allowed = check_privileges(alone, ours); !allowed)
      refused[pool.name] = allowed.error().message.substr(("pool " + pool.name + ": ").size());
  }
  return refused;
}

// "what was tried; what helps".
doctor::Check check_runtime_directory(const Result<std::string>& runtime) {
  if (runtime) return doctor::ok("sockets", *runtime);
  const std::string& sentence = runtime.error().message;
  const auto at = sentence.rfind("; ");
  return doctor::problem("sockets", sentence.substr(0, at), "", sentence.substr(at + 2));
}

void check_gateway_user(const config::Settings& settings, const process::Privileges& ours,
                        Checks& checks) {
  if (!settings.speaks_http() || !process::may_run_others(ours)) return;
  worker::Identity gateway;
  gateway.user = settings.gateway.user;
  const auto account = process::find_account(gateway);
  checks.push_back(account ? doctor::ok("gateway", "runs as " + doctor::describe(*account))
                           : doctor::problem("gateway", account.error().message, "gateway.user",
                                             "create the user, or name another one"));
}

void check_addresses(const config::Settings& settings, bool is_running, Checks& checks) {
  if (settings.speaks_http())
    for (const config::Address& address : settings.listen)
      checks.push_back(doctor::check_address("listen", address, is_running));
  checks.push_back(doctor::check_address("admin", settings.admin, is_running));
}

// Of poolwarden itself, whatever its pools are.
doctor::Section examine_supervisor(const config::Settings& settings, const std::string& control,
                                   const Result<std::string>& runtime,
                                   const doctor::Surroundings& around) {
  Checks checks;
  const bool is_running = supervisor_answers(control);
  checks.push_back(check_runtime_directory(runtime));
  check_addresses(settings, is_running, checks);
  check_gateway_user(settings, around.kernel.privileges, checks);
  for (const std::string& sentence : lost_privileges(settings, around.kernel.privileges)) {
    const doctor::TakenApart told = doctor::take_apart(sentence, around.host);
    checks.push_back(doctor::note("rights", told.what, "", told.cure));
  }
  for (const config::Finding& finding : around.lint)
    if (finding.path == "pools")
      checks.push_back(doctor::note("settings", finding.message, "", ""));
  return {"poolwarden itself", "", std::move(checks)};
}

doctor::Report examine(const Patient& patient, const std::string& control) {
  const doctor::TrialTree trial;
  const auto runtime = place_of_runtime_directory(instance_name(control));
  doctor::KernelFacts kernel = doctor::read_kernel_facts();
  const auto refused = refused_pools(patient.settings, kernel.privileges);
  const doctor::Surroundings around{
      trial.tree(),      doctor::tell_host(doctor::read_host_signs()),
      std::move(kernel), runtime ? *runtime : "",
      refused,           config::lint_settings(patient.settings, this_machine())};
  doctor::Report report{patient.file, doctor::describe(around.host), {}};
  for (const pool::PoolSettings& pool : patient.settings.pools)
    if (patient.wants(pool)) report.sections.push_back(doctor::examine_pool(pool, around));
  if (!patient.file.empty())
    report.sections.push_back(examine_supervisor(patient.settings, control, runtime, around));
  report.sections.push_back(doctor::examine_containment(around));
  return report;
}

std::optional<int> unknown_pool(const Patient& patient, const CommandLine& line) {
  if (!patient.only) return std::nullopt;
  std::vector<std::string> names;
  for (const pool::PoolSettings& pool : patient.settings.pools) {
    if (pool.name == *patient.only) return std::nullopt;
    names.push_back(pool.name);
  }
  const auto near = nearest(*patient.only, names);
  return line.wrong("there is no pool \"" + *patient.only + "\"" +
                    (near ? "; did you mean \"" + *near + "\"?" : ""));
}

// The exit code when there is nothing to go on with.
std::variant<Patient, int> admit(const cxxopts::ParseResult& options, const CommandLine& line) {
  Patient patient;
  std::optional<std::string> file;
  if (options.count("file") != 0) file = options["file"].as<std::string>();
  if (options.count("pool") != 0) patient.only = options["pool"].as<std::string>();
  auto loaded = load_settings(file);
  if (!loaded && !file && !patient.only && loaded.error().code == std::errc::invalid_argument) {
    std::cerr << "poolwarden: there is no configuration here: only the containment is looked at\n";
    return patient;
  }
  if (!loaded) {
    std::cerr << "poolwarden: " << loaded.error().message << "\n";
    return kWrongUsage;
  }
  if (!loaded->parsed.ok()) {
    print_findings(*loaded);
    return kWrongUsage;
  }
  patient.file = loaded->file_name;
  patient.settings = std::move(loaded->parsed.settings);
  if (const auto wrong = unknown_pool(patient, line)) return *wrong;
  return patient;
}

}  // namespace

int doctor_entry(const Words& words) {
  CommandLine line("doctor", "[FILE] [--pool P] [--json]",
                   "Looks at all that the pools of FILE (else ./poolwarden.yaml, else "
                   "/etc/poolwarden/poolwarden.yaml) need here, as their users, without starting "
                   "them; and at what containment this container or machine has. Ends with 0 when "
                   "nothing is wrong, 1 when something is, 2 for a wrong configuration.");
  line.options()("pool", "of the pools only this one", cxxopts::value<std::string>())(
      "json", "as JSON")("control", "path of the control socket that `run` is to have",
                         cxxopts::value<std::string>())("file", "the configuration file",
                                                        cxxopts::value<std::string>());
  line.positional({"file"});
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const auto admitted = admit(options, line);
  if (const int* exit_code = std::get_if<int>(&admitted)) return *exit_code;
  const auto& patient = std::get<Patient>(admitted);
  const std::string control =
      control_to_open(options, patient.settings.control, place_for_control());
  const doctor::Report report = examine(patient, control);
  if (options.count("json") != 0) {
    std::cout << boost::json::serialize(as_json(report)) << "\n";
  } else {
    std::cout << as_table(report);
  }
  return report.count(doctor::Outcome::Problem) == 0 ? kDone : kFailed;
}

}  // namespace poolwarden::cli
