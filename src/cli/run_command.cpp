// `run`: supervises the pools of a configuration file, or one command, in the foreground.

#include <filesystem>
#include <iostream>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/control_place.h"
#include "cli/load_settings.h"
#include "cli/supervision.h"

namespace poolwarden::cli {
namespace {

constexpr const char* kSynopsis =
    "[FILE] [--listen ADDRESS] [--admin ADDRESS] [--control PATH] [--connect MODE] [--workers N] "
    "[-- CMD ARG...]";

struct Choice {
  const char* name;
  worker::ConnectMode mode;
};
constexpr Choice kModes[] = {{"unix", worker::ConnectMode::Unix},
                             {"tcp", worker::ConnectMode::Tcp},
                             {"inherit", worker::ConnectMode::Inherit}};

// One pool named `default` that takes every request; `--connect none`: a pool without HTTP.
Result<pool::PoolSettings> pool_of_command(const std::vector<std::string>& command,
                                           const cxxopts::ParseResult& options) {
  pool::PoolSettings pool;
  pool.name = "default";
  pool.worker.command = command;
  pool.worker.containment = worker::Containment::BestEffort;
  pool.workers.min = pool.workers.max = options["workers"].as<std::uint32_t>();
  const std::string wanted = options["connect"].as<std::string>();
  if (wanted == "none") {
    pool.worker.ready.when = worker::WhenStarted{};
    return pool;
  }
  for (const Choice& choice : kModes) {
    if (wanted != choice.name) continue;
    pool.routes.push_back({});
    pool.worker.connect = choice.mode;
    if (choice.mode == worker::ConnectMode::Inherit) pool.worker.ready.when = worker::WhenNotify{};
    return pool;
  }
  return failure("--connect: expected unix, tcp, inherit or none, got \"" + wanted + "\"");
}

Result<void> apply_options(const cxxopts::ParseResult& options, const std::string& place,
                           config::Settings& settings) {
  if (options.count("listen") != 0) {
    settings.listen.clear();
    for (const std::string& text : options["listen"].as<std::vector<std::string>>()) {
      const auto address = config::parse_address(text);
      if (!address) return address.error().because("--listen");
      settings.listen.push_back(*address);
    }
  }
  if (options.count("admin") != 0) {
    const auto address = config::parse_address(options["admin"].as<std::string>());
    if (!address) return address.error().because("--admin");
    settings.admin = *address;
  }
  settings.control = control_to_open(options, settings.control, place);
  return {};
}

int run_file(const CommandLine& line, const cxxopts::ParseResult& options) {
  std::optional<std::string> file;
  if (options.count("file") != 0) file = options["file"].as<std::string>();
  auto loaded = load_settings(file);
  if (!loaded) {
    std::cerr << "poolwarden: " << loaded.error().message << "\n";
    return kWrongUsage;
  }
  // What is not in effect yet is for `check` to list.
  std::erase_if(loaded->parsed.findings, [](const config::Finding& finding) {
    return finding.kind == config::Finding::Kind::NotInEffect;
  });
  print_findings(*loaded);
  if (!loaded->parsed.ok()) return kWrongUsage;
  SettingsSource source{std::move(loaded->parsed.settings),
                        std::filesystem::absolute(loaded->file_name), loaded->sha256,
                        [options, place = place_for_control()](config::Settings& settings) {
                          return apply_options(options, place, settings);
                        }};
  if (const auto applied = source.overrides(source.settings); !applied)
    return line.wrong(applied.error().message);
  return supervise(std::move(source), {});
}

int run_one_command(const CommandLine& line, const cxxopts::ParseResult& options,
                    const std::vector<std::string>& command) {
  if (options.count("file") != 0) return line.wrong("give either a FILE or -- CMD, not both");
  if (command.empty()) return line.wrong("there is no command behind --");
  config::Settings settings = config::default_settings();
  auto pool = pool_of_command(command, options);
  if (!pool) return line.wrong(pool.error().message);
  settings.pools.push_back(std::move(*pool));
  if (const auto applied = apply_options(options, place_for_control(), settings); !applied)
    return line.wrong(applied.error().message);
  return supervise({std::move(settings), "", "", {}}, {});
}

}  // namespace

int run_entry(const Words& words) {
  CommandLine line("run", kSynopsis,
                   "Supervises the pools of FILE, else of ./poolwarden.yaml, else of "
                   "/etc/poolwarden/poolwarden.yaml; or one pool that runs CMD.");
  line.options()("listen", "where clients connect, instead of what the file says",
                 cxxopts::value<std::vector<std::string>>())(
      "admin", "address of metrics and health", cxxopts::value<std::string>())(
      "control", "path of the control socket", cxxopts::value<std::string>())(
      "connect", "for CMD: how its worker is reached: unix, tcp, inherit or none",
      cxxopts::value<std::string>()->default_value("unix"))(
      "workers", "for CMD: how many; 0 = one per CPU",
      cxxopts::value<std::uint32_t>()->default_value("1"))("file", "the configuration file",
                                                           cxxopts::value<std::string>());
  line.positional({"file"});
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  return words.after_dashes ? run_one_command(line, options, *words.after_dashes)
                            : run_file(line, options);
}

}  // namespace poolwarden::cli
