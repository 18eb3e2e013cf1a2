#include "cli/client.h"

#include <filesystem>
#include <iostream>

#include "base/clean_text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/control_place.h"
#include "cli/load_settings.h"
#include "control/control_client.h"

namespace poolwarden::cli {
namespace {

constexpr const char* kDefaultTimeout = "5m";

// A path that FILE names, or the configuration file of this place, if it can be read. What else is
// wrong with the file is for the supervisor to say.
std::optional<std::string> control_of_file(const std::optional<std::string>& file) {
  const auto loaded = load_settings(file);
  if (!loaded) return std::nullopt;
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
  if (std::string named = control_from_environment(); !named.empty()) return named;
  std::optional<std::string> file;
  if (options.count("file") != 0) file = options["file"].as<std::string>();
  return control_of_file(file).value_or(find_control());
}

void add_file_argument(CommandLine& line) {
  line.options()("file", "the configuration file", cxxopts::value<std::string>());
  line.positional({"file"});
}

std::string file_argument(const cxxopts::ParseResult& options) {
  if (options.count("file") == 0) return "";
  return std::filesystem::absolute(options["file"].as<std::string>());
}

void add_wait_options(CommandLine& line, const std::string& until) {
  line.options()("wait", "return when " + until + ": 0 done, 1 failed, 3 timed out")(
      "timeout", "how long --wait waits",
      cxxopts::value<std::string>()->default_value(kDefaultTimeout));
}

Result<void> put_patience(const cxxopts::ParseResult& options, boost::json::object& request) {
  const auto timeout = parse_finite_duration(options["timeout"].as<std::string>());
  if (!timeout) return timeout.error().because("--timeout");
  request["wait"] = options.count("wait") != 0;
  request["timeout_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*timeout).count();
  return {};
}

// Workers put words into it.
void print_line(const boost::json::object& line) {
  if (const auto* text = line.if_contains("progress"); text && text->is_string())
    std::cout << escaped(std::string_view(text->get_string())) << std::endl;
  if (const auto* text = line.if_contains("finding"); text && text->is_string())
    std::cerr << escaped(std::string_view(text->get_string())) << std::endl;
}

int order(const std::string& path, const boost::json::object& request,
          const std::function<void(const boost::json::object&)>& on_line,
          const std::function<void(const boost::json::object&)>& on_data,
          std::optional<Duration> within) {
  const auto answer = control::ask(path, request, on_line, within);
  if (!answer) {
    std::cerr << "poolwarden: " << answer.error().message << "\n";
    if (answer.error().code == std::errc::timed_out) return kTimedOut;
    if (!nobody_there(answer.error())) return kFailed;
    std::cerr << "Is it running? Name its socket with --control or $POOLWARDEN_CONTROL.\n";
    return kNoSupervisor;
  }
  if (answer->exit_code == kDone && on_data) on_data(answer->data);
  if (!answer->message.empty()) {
    (answer->exit_code == kDone ? std::cout : std::cerr)
        << (answer->exit_code == kDone ? "" : "poolwarden: ") << escaped(answer->message) << "\n";
  }
  return answer->exit_code;
}

}  // namespace poolwarden::cli
