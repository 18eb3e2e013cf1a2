// `drill`: a fire drill. Puts a load of its own on a pool, has the supervisor do a failure to one
// of its workers, and tells what became of the requests and of the worker.

#include <boost/json/array.hpp>
#include <iostream>

#include "base/clean_text.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "cli/drill_kind.h"
#include "cli/drill_report.h"
#include "cli/request_fields.h"
#include "journal/json_values.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kPatience{5};  // for what is under way when the drill is over
constexpr std::uint64_t kAnswersEach = 5;     // of a connection, before and after the failure

struct DrillCommand {
  std::string control;
  json::object request;
  LoadTarget load;
  bool is_loaded = false;
  bool as_json = false;
  Duration timeout{};
};

void add_options(CommandLine& line) {
  add_control_option(line);
  line.options()("pool", "name of the pool", cxxopts::value<std::string>())(
      "kind", "segv, abort, exit=N, oom, hang, slow or recycle", cxxopts::value<std::string>())(
      "worker", "which worker (its slot, as `status` shows it); else the first that serves",
      cxxopts::value<std::uint32_t>())("connections", "connections of the load",
                                       cxxopts::value<std::size_t>()->default_value("4"))(
      "path", "what is asked for; else the path of the pool's first route",
      cxxopts::value<std::string>())("host", "field Host; else the host of the pool's first route",
                                     cxxopts::value<std::string>())(
      "url", "address of the gateway, http://IP:PORT or unix:/path; else the first of `listen`",
      cxxopts::value<std::string>())("timeout", "how long to wait for the replacement",
                                     cxxopts::value<std::string>()->default_value("30s"))(
      "yes", "also when the failure takes the pool out of service (rapid-fail protection)")(
      "json", "the outcome as JSON");
  line.positional({"pool", "kind"});
}

Result<DrillCommand> read_command(const cxxopts::ParseResult& options) {
  if (options.count("pool") == 0) return failure("name the pool");
  if (options.count("kind") == 0)
    return failure("say what to do: segv, abort, exit=N, oom, hang, slow or recycle");
  const std::string kind = options["kind"].as<std::string>();
  if (const auto drill = parse_drill(kind); !drill) return drill.error();
  const auto timeout = parse_finite_duration(options["timeout"].as<std::string>());
  if (!timeout) return timeout.error().because("--timeout");

  DrillCommand command;
  command.control = control_path(options);
  command.as_json = options.count("json") != 0;
  command.timeout = *timeout;
  command.request["command"] = "drill";
  command.request["pool"] = options["pool"].as<std::string>();
  command.request["drill"] = kind;
  command.request["timeout_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(*timeout).count();
  command.request["yes"] = options.count("yes") != 0;
  if (options.count("worker") != 0)
    command.request["worker"] = options["worker"].as<std::uint32_t>();
  return command;
}

std::string words_of(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : "";
}

// Where it can be reached from here.
Result<config::Address> reachable(std::string text) {
  if (text.starts_with("http://")) text = text.substr(7, text.find('/', 7) - 7);
  auto address = config::parse_address(text);
  if (!address) return address;
  if (address->host == "0.0.0.0") address->host = "127.0.0.1";
  if (address->host == "::") address->host = "::1";
  return address;
}

std::string concrete(const std::string& host) {
  if (host == "*") return "localhost";
  return host.starts_with("*.") ? "drill" + host.substr(1) : host;
}

std::string option(const cxxopts::ParseResult& options, const char* name,
                   const std::string& otherwise) {
  return options.count(name) != 0 ? options[name].as<std::string>() : otherwise;
}

// What the load asks for, from what the supervisor says of the pool and the options override.
Result<void> aim(DrillCommand& command, const cxxopts::ParseResult& options,
                 const json::object& look) {
  const json::value* route = look.if_contains("route");
  if (!route || !route->is_object()) return {};
  const json::value* listeners = look.if_contains("listeners");
  const bool any = listeners && listeners->is_array() && !listeners->get_array().empty();
  const std::string first = any ? words_of(listeners->get_array().front()) : "";
  const auto address = reachable(option(options, "url", first));
  if (!address) return address.error().because("--url");
  command.load.address = *address;
  command.load.host = option(options, "host", concrete(text(route->get_object(), "host")));
  command.load.path = option(options, "path", text(route->get_object(), "path"));
  command.load.connections = std::max<std::size_t>(1, options["connections"].as<std::size_t>());
  command.is_loaded = true;
  return {};
}

// The supervisor's view of the pool; the exit code if there is none.
int look(const DrillCommand& command, json::object& found) {
  json::object request = command.request;
  request["look"] = true;
  return order(
      command.control, request, [](const json::object&) {},
      [&](const json::object& data) { found = data; });
}

std::string failures_so_far(const json::object& look) {
  return "this failure would be number " +
         std::to_string(number(look, "window_failures").value_or(0) + 1) + " of the " +
         std::to_string(number(look, "failures").value_or(0)) +
         " that take the pool out of service (rapid_fail.failures)";
}

// Says on stderr what speaks against it.
bool may_begin(const DrillCommand& command, const json::object& look) {
  if (const std::string refusal = text(look, "refusal"); !refusal.empty()) {
    std::cerr << "poolwarden: cannot drill: " << escaped(refusal) << "\n";
    return false;
  }
  if (!flag(look, "trips_rapid_fail")) return true;
  const bool despite = flag(command.request, "yes");
  std::cerr << "poolwarden: " << failures_so_far(look)
            << (despite ? "\n" : "; to do it all the same, add --yes\n");
  return despite;
}

int run_drill(const DrillCommand& command, const json::object& before) {
  DrillFindings findings;
  findings.pool = text(command.request, "pool");
  findings.drill = text(command.request, "drill");
  std::optional<DrillLoad> load;
  const std::uint64_t enough = kAnswersEach * command.load.connections;
  if (command.is_loaded) {
    load.emplace(command.load);
    load->start();
    if (!load->wait_for_answers(enough, command.timeout)) {
      std::cerr << "poolwarden: nothing was done to the worker, for " << command.load.path
                << " is not answered at " << describe(command.load.address)
                << "; name another --path or --url\n";
      return kFailed;
    }
  }
  findings.exit_code = order(command.control, command.request, [&](const json::object& line) {
    if (const auto* course = line.if_contains("drill"); course && course->is_object())
      findings.course = course->get_object();
  });
  if (load) {
    load->wait_for_answers(enough, kPatience);
    findings.load = load->stop(kPatience);
    findings.lost_before = before.at("lost").as_object();
    json::object after;
    if (look(command, after) == kDone) findings.lost_after = after.at("lost").as_object();
  }
  const json::object report = as_json(findings);
  std::cout << (command.as_json ? journal::serialized(report) + "\n" : as_text(report));
  return findings.exit_code;
}

}  // namespace

int drill_entry(const Words& words) {
  CommandLine line("drill",
                   "POOL segv|abort|exit=N|oom|hang|slow|recycle [--worker N] [--path P] [--yes]",
                   "Does a failure to a worker while a load of requests runs, and tells how many "
                   "were lost, how long the replacement took, and what was recorded.");
  add_options(line);
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  auto command = read_command(options);
  if (!command) return line.wrong(command.error().message);

  json::object before;
  if (const int failed = look(*command, before); failed != kDone) return failed;
  if (!may_begin(*command, before)) return kFailed;
  if (const auto aimed = aim(*command, options, before); !aimed)
    return line.wrong(aimed.error().message);
  return run_drill(*command, before);
}

}  // namespace poolwarden::cli
