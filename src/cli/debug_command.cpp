// `debug`: the next worker of a pool starts under a debugger, a tracer, or with loader tracing.

#include <boost/asio/ip/address.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "cli/debug_report.h"
#include "cli/debug_tool.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

void add_debug_options(CommandLine& line) {
  add_control_option(line);
  add_wait_options(line, "that worker has ended, and tell what the tool found");
  line.options()("pool", "name of the pool", cxxopts::value<std::string>())(
      "with", "gdb, gdbserver, strace or loader", cxxopts::value<std::string>())(
      "worker", "which worker is replaced (its slot, as `status` shows it)",
      cxxopts::value<std::string>())("port", "port that gdbserver listens on; else a free one",
                                     cxxopts::value<std::string>())(
      "host", "address that gdbserver listens on: whoever reaches it commands the worker",
      cxxopts::value<std::string>()->default_value("127.0.0.1"))(
      "output", "folder for what the tool writes; else one of the supervisor's",
      cxxopts::value<std::string>())("off", "debug no worker of the pool any more");
  line.positional({"pool"});
}

Result<void> put_number(const cxxopts::ParseResult& options, const char* option,
                        const NumberRange& range, json::object& request) {
  if (options.count(option) == 0) return {};
  const auto number = number_option(options, option, range);
  if (!number) return number.error();
  request[option] = *number;
  return {};
}

Result<json::object> read_request(const cxxopts::ParseResult& options) {
  if (options.count("pool") == 0) return failure("name the pool");
  json::object request{{"command", "debug"}, {"pool", options["pool"].as<std::string>()}};
  request["off"] = options.count("off") != 0;
  if (options.count("off") != 0 && options.count("with") != 0)
    return failure("--off and --with exclude each other");
  if (options.count("off") == 0 && options.count("with") == 0)
    return failure("say what to debug it with: --with gdb, gdbserver, strace or loader");
  if (options.count("with") != 0) {
    const std::string tool = options["with"].as<std::string>();
    if (const auto known = parse_debug_tool(tool); !known) return known.error();
    request["tool"] = tool;
  }
  for (const char* option : {"port", "host"})
    if (options.count(option) != 0 && (!request.contains("tool") || request["tool"] != "gdbserver"))
      return failure(std::string("--") + option + " is for --with gdbserver");
  if (auto put = put_number(options, "port", {1, 65535}, request); !put) return put.error();
  if (auto put = put_number(options, "worker", {}, request); !put) return put.error();
  const std::string host = options["host"].as<std::string>();
  boost::system::error_code none;
  if (boost::asio::ip::make_address(host, none); none)
    return failure("--host: expected an address such as 127.0.0.1 or ::1, got \"" + host + "\"");
  request["host"] = host;
  if (options.count("output") != 0)
    request["output"] = std::filesystem::absolute(options["output"].as<std::string>()).string();
  if (const auto put = put_patience(options, request); !put) return put.error();
  return request;
}

}  // namespace

int debug_entry(const Words& words) {
  CommandLine line("debug",
                   "POOL --with gdb|gdbserver|strace|loader [--wait] [--port N] | POOL --off",
                   "The next worker of the pool starts under a debugger, a tracer, or with loader "
                   "tracing; the one after it starts as ever.");
  add_debug_options(line);
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const auto request = read_request(options);
  if (!request) return line.wrong(request.error().message);

  json::object debug;
  const int exit_code = order(control_path(options), *request, [&](const json::object& told) {
    print_line(told);
    if (const auto* found = told.if_contains("debug"); found && found->is_object())
      debug = found->get_object();
  });
  if (options.count("wait") != 0 && !debug.empty())
    std::cout << debug_report(debug, exit_code == kDone);
  return exit_code;
}

}  // namespace poolwarden::cli
