// `doctor`: what would keep pools from running here, before they are started.

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <iostream>

#include "base/units.h"
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
#include "doctor/patient_look.h"
#include "doctor/report.h"
#include "doctor/trial_tree.h"

namespace poolwarden::cli {
namespace {

using doctor::Checks;

constexpr std::chrono::seconds kSupervisorAnswersWithin{2};
constexpr const char* kWaitsByDefault = "10s";

struct Patient {
  std::string file;
  config::Settings settings = config::default_settings();
  std::optional<std::string> only;  // this pool
  Checks configuration;             // what is wrong with it: then there is no more to it than that
  int exit_code_of_that = kDone;
  std::chrono::milliseconds patience{};

  bool wants(const pool::PoolSettings& pool) const { return !only || *only == pool.name; }
};

bool supervisor_answers(const std::string& control) {
  return control::ask(
             control, {{"command", "healthcheck"}, {"live", true}},
             [](const boost::json::object&) {}, kSupervisorAnswersWithin)
      .has_value();
}

// Why `run` would not begin with this pool; empty: it would.
std::string refusal_of(config::Settings settings, const pool::PoolSettings& pool,
                       const process::Privileges& ours) {
  settings.pools = {pool};
  const auto allowed = check_privileges(settings, ours);
  return allowed ? "" : allowed.error().message.substr(("pool " + pool.name + ": ").size());
}

// "what was tried; what helps".
doctor::Check check_runtime_directory(const Result<std::string>& runtime) {
  if (runtime) return doctor::ok("sockets", *runtime);
  const std::string& sentence = runtime.error().message;
  const auto at = sentence.rfind("; ");
  return doctor::problem("sockets", sentence.substr(0, at), "", sentence.substr(at + 2));
}

void check_gateway_user(const config::Settings& settings, const process::Privileges& ours,
                        const doctor::Teller& teller) {
  if (!settings.speaks_http() || !process::may_run_others(ours)) return;
  teller.looking_at("gateway", "the database of users and groups (nsswitch.conf)");
  worker::Identity gateway;
  gateway.user = settings.gateway.user;
  const auto account = process::find_account(gateway);
  teller.tell(account ? doctor::ok("gateway", "runs as " + doctor::describe(*account))
                      : doctor::problem("gateway", account.error().message, "gateway.user",
                                        "create the user, or name another one"));
}

void check_addresses(const config::Settings& settings, bool is_running,
                     const doctor::Teller& teller) {
  const auto check = [&](const std::string& subject, const config::Address& address) {
    teller.looking_at(subject, config::describe(address), address.unix_path);
    teller.tell(doctor::check_address(subject, address, is_running));
  };
  if (settings.speaks_http())
    for (const config::Address& address : settings.listen) check("listen", address);
  check("admin", settings.admin);
}

// Of poolwarden itself, whatever its pools are.
void look_at_supervisor(const config::Settings& settings, const std::string& control,
                        const doctor::Surroundings& around, const doctor::Teller& teller) {
  teller.looking_at("control", control, control);
  const bool is_running = supervisor_answers(control);
  if (!is_running)
    teller.tell(doctor::check_writable(
        "control", std::filesystem::path(control).parent_path().string(), doctor::Above::IsMade));
  if (settings.state) {
    teller.looking_at("state", *settings.state, *settings.state);
    teller.tell(doctor::check_writable("state", *settings.state, doctor::Above::IsThere));
  }
  check_addresses(settings, is_running, teller);
  check_gateway_user(settings, around.kernel.privileges, teller);
  for (const std::string& sentence : lost_privileges(settings, around.kernel.privileges)) {
    const doctor::TakenApart told = doctor::take_apart(sentence, around.host);
    teller.tell(doctor::note("rights", told.what, "", told.cure));
  }
}

doctor::Section examine_supervisor(const Patient& patient, const std::string& control,
                                   const Result<std::string>& runtime,
                                   const doctor::Surroundings& around) {
  Checks checks = {check_runtime_directory(runtime)};
  for (doctor::Check& check :
       doctor::look_patiently(patient.patience, [&](const doctor::Teller& teller) {
         look_at_supervisor(patient.settings, control, around, teller);
       }))
    checks.push_back(std::move(check));
  for (const config::Finding& finding : around.lint)
    if (finding.path == "pools")
      checks.push_back(doctor::note("settings", finding.message, "", ""));
  return {"poolwarden itself", "", std::move(checks)};
}

doctor::Report examine(const Patient& patient, const std::string& control) {
  const doctor::TrialTree trial;
  const auto runtime = place_of_runtime_directory(instance_name(control));
  doctor::KernelFacts kernel = doctor::read_kernel_facts();
  const process::Privileges ours = kernel.privileges;
  const doctor::Surroundings around{
      trial.tree(),
      doctor::tell_host(doctor::read_host_signs()),
      std::move(kernel),
      runtime ? *runtime : "",
      [&](const pool::PoolSettings& pool) { return refusal_of(patient.settings, pool, ours); },
      config::lint_settings(patient.settings, this_machine()),
      patient.patience};
  doctor::Report report{patient.file, doctor::describe(around.host), {}};
  if (!patient.configuration.empty()) {
    report.sections.push_back({"configuration", "", patient.configuration});
  } else if (!patient.file.empty()) {
    for (const pool::PoolSettings& pool : patient.settings.pools)
      if (patient.wants(pool)) report.sections.push_back(doctor::examine_pool(pool, around));
    report.sections.push_back(examine_supervisor(patient, control, runtime, around));
  }
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

// Whether a file can be read at all: a pipe could be read only once, and whoever names one waits.
Checks try_to_read(const std::optional<std::string>& file, std::chrono::milliseconds patience) {
  return doctor::look_patiently(patience, [&](const doctor::Teller& teller) {
    const std::string name = file.value_or("poolwarden.yaml");
    std::error_code ignored;
    teller.looking_at("configuration", name, std::filesystem::absolute(name, ignored).string());
    if (!file || std::filesystem::is_regular_file(name, ignored)) (void)load_settings(file);
  });
}

Checks what_is_wrong(const LoadedSettings& loaded) {
  Checks checks;
  for (const config::Finding& finding : loaded.parsed.findings) {
    std::string place = loaded.file_name;
    if (finding.line > 0)
      place += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
    const std::string what = (finding.path.empty() ? "" : finding.path + ": ") + finding.message;
    checks.push_back(finding.kind == config::Finding::Kind::Error
                         ? doctor::problem("settings", what, "at " + place, "correct it there")
                         : doctor::note("settings", what, "at " + place, ""));
  }
  return checks;
}

// What is wrong with the configuration is told as a check, for then the rest is worth a look.
void read_configuration(const std::optional<std::string>& file, Patient& patient) {
  patient.configuration = try_to_read(file, patient.patience);
  if (!patient.configuration.empty()) {
    patient.exit_code_of_that = kFailed;
    return;
  }
  auto loaded = load_settings(file);
  if (!loaded && !file && !patient.only && loaded.error().code == std::errc::invalid_argument) {
    std::cerr << "poolwarden: there is no configuration here: only the containment is looked at\n";
    return;
  }
  if (!loaded) {
    patient.file = file.value_or("");
    patient.configuration = {doctor::problem("file", loaded.error().message, "",
                                             "name a file that poolwarden can read")};
    patient.exit_code_of_that = kWrongUsage;
    return;
  }
  patient.file = loaded->file_name;
  if (loaded->parsed.ok()) {
    patient.settings = std::move(loaded->parsed.settings);
    return;
  }
  patient.configuration = what_is_wrong(*loaded);
  patient.exit_code_of_that = kWrongUsage;
}

std::variant<Patient, int> admit(const cxxopts::ParseResult& options, const CommandLine& line) {
  Patient patient;
  const auto patience = parse_finite_duration(options["timeout"].as<std::string>());
  if (!patience) return line.wrong(patience.error().because("--timeout").message);
  patient.patience = std::chrono::duration_cast<std::chrono::milliseconds>(*patience);
  if (patient.patience.count() == 0) return line.wrong("--timeout: expected more than 0");
  std::optional<std::string> file;
  if (options.count("file") != 0) file = options["file"].as<std::string>();
  if (options.count("pool") != 0) patient.only = options["pool"].as<std::string>();
  read_configuration(file, patient);
  if (!patient.configuration.empty()) return patient;
  if (const auto wrong = unknown_pool(patient, line)) return *wrong;
  return patient;
}

int exit_code_of(const Patient& patient, const doctor::Report& report) {
  if (!patient.configuration.empty()) return patient.exit_code_of_that;
  return report.count(doctor::Outcome::Problem) == 0 ? kDone : kFailed;
}

}  // namespace

int doctor_entry(const Words& words) {
  CommandLine line("doctor", "[FILE] [--pool P] [--json] [--timeout DURATION]",
                   "Looks at all that the pools of FILE (else ./poolwarden.yaml, else "
                   "/etc/poolwarden/poolwarden.yaml) need here, as their users, without starting "
                   "them; and at what containment this container or machine has. Ends with 0 when "
                   "nothing is wrong, 1 when something is, 2 for a wrong configuration.");
  line.options()("pool", "of the pools only this one", cxxopts::value<std::string>())(
      "json", "as JSON")("timeout", "how long to wait for what does not answer",
                         cxxopts::value<std::string>()->default_value(kWaitsByDefault))(
      "control", "path of the control socket that `run` is to have", cxxopts::value<std::string>())(
      "file", "the configuration file", cxxopts::value<std::string>());
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
  return exit_code_of(patient, report);
}

}  // namespace poolwarden::cli
