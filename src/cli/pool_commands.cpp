// `start`, `stop` and `recycle`: what appcmd does. With --wait they tell how it went.

#include <iostream>

#include "base/units.h"
#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {
namespace {

constexpr const char* kDefaultTimeout = "5m";

void print_progress(const boost::json::object& line) {
  if (const auto* text = line.if_contains("progress"); text && text->is_string())
    std::cout << text->get_string().c_str() << std::endl;
}

void add_common(CommandLine& line) {
  add_control_option(line);
  line.options()("pool", "name of the pool", cxxopts::value<std::string>())(
      "wait", "return when it is done, and tell the truth: 0 done, 1 failed, 3 timed out")(
      "timeout", "how long --wait waits",
      cxxopts::value<std::string>()->default_value(kDefaultTimeout));
  line.positional({"pool"});
}

int send(CommandLine& line, const cxxopts::ParseResult& options, boost::json::object request) {
  if (options.count("pool") == 0) return line.wrong("name the pool");
  const auto timeout = parse_finite_duration(options["timeout"].as<std::string>());
  if (!timeout) return line.wrong("--timeout: " + timeout.error().message);
  request["pool"] = options["pool"].as<std::string>();
  request["wait"] = options.count("wait") != 0;
  request["timeout_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*timeout).count();
  return order(control_path(options), request, print_progress);
}

int simple(const Words& words, const std::string& command, const std::string& description) {
  CommandLine line(command, "POOL [--wait] [--timeout T]", description);
  add_common(line);
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  return send(line, std::get<cxxopts::ParseResult>(parsed), {{"command", command}});
}

}  // namespace

int start_entry(const Words& words) {
  return simple(words, "start",
                "Starts a pool that is stopped, by an administrator or by rapid-fail protection, "
                "which forgets its failures.");
}

int stop_entry(const Words& words) {
  return simple(words, "stop",
                "Stops a pool: its requests get 503 until it is started again. Requests in flight "
                "are waited for, at most stop.drain.");
}

int recycle_entry(const Words& words) {
  CommandLine line("recycle", "POOL [--worker N] [--wait] [--timeout T]",
                   "Replaces the workers of a pool one after another; each serves until its "
                   "replacement is ready, and no request is lost.");
  add_common(line);
  line.options()("worker", "only this worker (its slot, as `status` shows it)",
                 cxxopts::value<std::uint32_t>());
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  boost::json::object request = {{"command", "recycle"}};
  if (options.count("worker") != 0) request["worker"] = options["worker"].as<std::uint32_t>();
  return send(line, options, std::move(request));
}

}  // namespace poolwarden::cli
