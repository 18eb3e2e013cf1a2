#include "cli/commands.h"

#include <array>
#include <exception>
#include <iostream>
#include <string_view>

#include "base/units.h"
#include "cli/command_entries.h"
#include "cli/command_line.h"

namespace poolwarden::cli {
namespace {

struct Command {
  std::string_view name;
  int (*run)(const Words&);
  std::string_view summary;  // empty: not for people
};

constexpr std::array kCommands = {
    Command{"run", run_entry, "supervise in the foreground"},
    Command{"demo", demo_entry, "try it: sample workers behind the gateway, no file needed"},
    Command{"check", check_entry, "validate a configuration file"},
    Command{"doctor", doctor_entry, "what would keep pools from running here, and the cure"},
    Command{"schema", schema_entry, "JSON Schema of the configuration file, for editors"},
    Command{"status", status_entry, "pools and workers at a glance"},
    Command{"start", start_entry, "start a pool; closes rapid-fail protection again"},
    Command{"stop", stop_entry, "stop a pool"},
    Command{"recycle", recycle_entry, "replace the workers of a pool, overlapped"},
    Command{"scale", scale_entry, "set how many workers a pool has"},
    Command{"plan", plan_entry, "what a reload would change"},
    Command{"reload", reload_entry, "put a changed configuration into effect"},
    Command{"events", events_entry, "what happened"},
    Command{"why", why_entry, "what the workers of a pool died of"},
    Command{"explain", explain_entry, "what an exit code or a signal means"},
    Command{"metrics", metrics_entry, "the metrics of the running supervisor, or their catalogue"},
    Command{"drill", drill_entry, "do a failure to a worker under load, and tell what came of it"},
    Command{"debug", debug_entry, "start the next worker of a pool under a debugger or tracer"},
    Command{"healthcheck", healthcheck_entry, "exit code 0 when the pools can serve"},
    Command{"version", version_entry, "the version of this program"},
    Command{"gateway", gateway_entry, ""},
    Command{"drill-hand", drill_hand_entry, ""},
    Command{"post-mortem-hand", post_mortem_hand_entry, ""},
    Command{"debug-hand", debug_hand_entry, ""},
    Command{"keeper", keeper_entry, ""},
    Command{"sample-worker", sample_worker_entry, ""},
};

void print_usage(std::ostream& out) {
  out << "poolwarden supervises pools of worker processes and holds the requests in front of "
         "them.\n"
         "\nUsage: poolwarden COMMAND [options]\n\n";
  for (const Command& command : kCommands) {
    if (command.summary.empty()) continue;
    out << "  " << command.name << std::string(13 - command.name.size(), ' ') << command.summary
        << "\n";
  }
  out << "\nEach command has --help. Begin with: poolwarden demo\n";
}

int unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) names.emplace_back(command.name);
  }
  std::cerr << "poolwarden: there is no command \"" << name << "\"";
  if (const auto near = nearest(name, names)) std::cerr << "; did you mean \"" << *near << "\"?";
  std::cerr << "\n";
  return kWrongUsage;
}

int dispatch(int argc, char** argv) {
  if (argc < 2) {
    print_usage(std::cerr);
    return kWrongUsage;
  }
  const std::string name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(std::cout);
    return kDone;
  }
  const std::string wanted = name == "--version" ? "version" : name;
  for (const Command& command : kCommands) {
    if (command.name == wanted) return command.run(split_words(argc - 2, argv + 2));
  }
  return unknown_command(name);
}

}  // namespace

int run_program(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "poolwarden: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace poolwarden::cli
