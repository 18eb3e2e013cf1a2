#include "cli/client.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/load_settings.h"
#include "control/control_client.h"

namespace poolwarden::cli {
namespace {

// A path that the configuration file of this place names, if it has one that can be read.
std::optional<std::string> control_of_file() {
  const auto loaded = load_settings(std::nullopt);
  if (!loaded || !loaded->parsed.ok()) return std::nullopt;
  if (loaded->parsed.settings.control == config::kDefaultControl) return std::nullopt;
  return loaded->parsed.settings.control;
}

bool nobody_there(const Error& error) {
  return error.code.value() == ENOENT || error.code.value() == ECONNREFUSED;
}

}  // namespace

void add_control_option(CommandLine& line) {
  line.options()("control", "path of the supervisor's control socket",
                 cxxopts::value<std::string>());
}

std::string control_path(const cxxopts::ParseResult& options) {
  if (options.count("control") != 0) return options["control"].as<std::string>();
  if (const char* named = std::getenv("POOLWARDEN_CONTROL"); named && *named) return named;
  return control_of_file().value_or(default_control_path());
}

std::string default_control_path() {
  if (::geteuid() == 0) return config::kDefaultControl;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && *runtime)
    return std::string(runtime) + "/poolwarden/control.sock";
  return "/tmp/poolwarden-" + std::to_string(::geteuid()) + "/control.sock";
}

int order(const std::string& path, const boost::json::object& request,
          const std::function<void(const boost::json::object&)>& on_line,
          const std::function<void(const boost::json::object&)>& on_data) {
  const auto answer = control::ask(path, request, on_line);
  if (!answer) {
    std::cerr << "poolwarden: " << answer.error().message << "\n";
    if (!nobody_there(answer.error())) return kFailed;
    std::cerr << "Is it running? Name its socket with --control or $POOLWARDEN_CONTROL.\n";
    return kNoSupervisor;
  }
  if (answer->exit_code == kDone && on_data) on_data(answer->data);
  if (!answer->message.empty()) {
    (answer->exit_code == kDone ? std::cout : std::cerr)
        << (answer->exit_code == kDone ? "" : "poolwarden: ") << answer->message << "\n";
  }
  return answer->exit_code;
}

}  // namespace poolwarden::cli
