#include "doctor/setting_checks.h"

#include <set>

#include "worker/placeholders.h"

namespace poolwarden::doctor {
namespace {

// What poolwarden sets in the way of `connect` alone.
bool is_of_connect(const std::string& name) {
  return name == "POOLWARDEN_SOCKET" || name == "PORT" || name == "HOST";
}

Check without_value(const std::string& name) {
  if (!is_of_connect(name))
    return note("environment", "${" + name + "} has no value and becomes nothing", "",
                "set " + name + " in the pool's environment, or write $${" + name +
                    "} where a shell is to replace it");
  const bool is_tcp = name != "POOLWARDEN_SOCKET";
  return problem("environment", "${" + name + "} has no value and becomes nothing",
                 "it is set with connect: " + std::string(is_tcp ? "tcp" : "unix"),
                 std::string("set connect: ") + (is_tcp ? "tcp" : "unix") +
                     ", or use the other way's " + (is_tcp ? "${POOLWARDEN_SOCKET}" : "${PORT}"));
}

}  // namespace

Checks check_names(const worker::WorkerSettings& settings,
                   const std::map<std::string, std::string>& environment) {
  std::set<std::string> unknown;
  const auto look = [&](const std::string& text) {
    for (const std::string& name : worker::names_in(text))
      if (!environment.contains(name)) unknown.insert(name);
  };
  for (const std::string& argument : settings.command) look(argument);
  look(settings.directory.value_or(""));
  for (const auto& [name, value] : settings.environment) look(value);
  Checks checks;
  for (const std::string& name : unknown) checks.push_back(without_value(name));
  return checks;
}

Checks check_lint(const std::string& pool, const std::vector<config::Finding>& lint) {
  Checks checks;
  const std::string path = "pools." + pool + ".";
  for (const config::Finding& finding : lint) {
    if (!finding.path.starts_with(path)) continue;
    checks.push_back(
        note("settings", finding.path.substr(path.size()) + ": " + finding.message, "", ""));
  }
  return checks;
}

std::string cure_of_rlimits(const process::LaunchPlan& plan, const std::string& refused,
                            const Host& host) {
  const auto speaks_of = [&](const char* limit) {
    return refused.find(limit) != std::string::npos;
  };
  if (speaks_of("limits.open_files") && plan.open_files) {
    const std::string number = std::to_string(*plan.open_files);
    return cure({"--ulimit nofile=" + number, "", "LimitNOFILE=" + number,
                 "raise the hard limit (ulimit -Hn) of who starts poolwarden"},
                host);
  }
  if (speaks_of("limits.core"))
    return cure({"--ulimit core=-1", "", "LimitCORE=infinity",
                 "raise the hard limit (ulimit -Hc) of who starts poolwarden"},
                host);
  if (speaks_of("limits.affinity"))
    return "name CPUs that poolwarden may use: grep Cpus_allowed_list /proc/self/status";
  return "";
}

}  // namespace poolwarden::doctor
