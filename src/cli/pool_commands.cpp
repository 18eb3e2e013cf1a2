// `start`, `stop` and `recycle`: what appcmd does. With --wait they tell how it went.

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {
namespace {

void add_common(CommandLine& line) {
  add_control_option(line);
  add_wait_options(line, "it is done, and tell the truth");
  line.options()("pool", "name of the pool", cxxopts::value<std::string>());
  line.positional({"pool"});
}

int send(CommandLine& line, const cxxopts::ParseResult& options, boost::json::object request) {
  if (options.count("pool") == 0) return line.wrong("name the pool");
  request["pool"] = options["pool"].as<std::string>();
  if (const auto put = put_patience(options, request); !put) return line.wrong(put.error().message);
  return order(control_path(options), request, print_line);
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
                 cxxopts::value<std::string>());
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  boost::json::object request = {{"command", "recycle"}};
  if (options.count("worker") != 0) {
    const auto slot = number_option(options, "worker");
    if (!slot) return line.wrong(slot.error().message);
    request["worker"] = *slot;
  }
  return send(line, options, std::move(request));
}

}  // namespace poolwarden::cli
