// `status`: pools and workers at a glance, from the report that the API shows too.

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "base/clean_text.h"
#include "base/units.h"
#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "journal/json_values.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

// Workers put words into it.
std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (!value || value->is_null()) return "-";
  return value->is_string() ? escaped(std::string_view(value->get_string()))
                            : json::serialize(*value);
}

double number(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  const double found = value ? value->to_number<double>(error) : 0;
  return error ? 0 : found;
}

const json::object& inner(const json::object& object, const char* key) {
  static const json::object kEmpty;
  const json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : kEmpty;
}

std::string age(const json::object& object, const char* key) {
  return describe_duration(
      std::chrono::milliseconds(static_cast<std::int64_t>(number(object, key) * 1000)));
}

std::string memory(const json::object& worker) {
  if (text(worker, "memory") == "-") return "-";
  std::string used = format_bytes(static_cast<std::uint64_t>(number(worker, "memory")));
  if (text(worker, "memory_limit") != "-")
    used += "/" + format_bytes(static_cast<std::uint64_t>(number(worker, "memory_limit")));
  return used;
}

std::string pool_line(const json::object& pool) {
  std::string line = "pool " + text(pool, "name") + ": " + text(pool, "state");
  if (text(pool, "disabled") != "-")
    line += " (" + text(pool, "disabled") + ": " + text(pool, "reason") + ")";
  if (text(pool, "removed") == "true") line += ", removed by a reload";
  const json::object& rapid = inner(pool, "rapid_fail");
  if (text(rapid, "max") != "-")
    line += ", failures " + text(rapid, "window") + "/" + text(rapid, "max");
  const json::object& queue = inner(pool, "queue");
  if (!queue.empty()) {
    line += ", queue " + text(queue, "length") + "/" + text(queue, "limit") + ", in flight " +
            text(pool, "in_flight");
  }
  return line;
}

void print_workers(const json::object& pool) {
  const json::value* workers = pool.if_contains("workers");
  if (!workers || !workers->is_array() || workers->get_array().empty()) return;
  std::cout << "  " << std::left << std::setw(7) << "worker" << std::setw(5) << "gen"
            << std::setw(9) << "pid" << std::setw(12) << "state" << std::setw(10) << "age"
            << std::setw(10) << "requests" << std::setw(10) << "in flight"
            << "memory\n";
  for (const json::value& each : workers->get_array()) {
    if (!each.is_object()) continue;
    const json::object& worker = each.get_object();
    std::cout << "  " << std::left << std::setw(7) << text(worker, "slot") << std::setw(5)
              << text(worker, "generation") << std::setw(9) << text(worker, "pid") << std::setw(12)
              << text(worker, "state") << std::setw(10) << age(worker, "age_seconds")
              << std::setw(10) << text(worker, "requests") << std::setw(10)
              << text(worker, "in_flight") << memory(worker);
    if (text(worker, "unhealthy") == "true") std::cout << "  unhealthy";
    const std::string said = text(worker, "status_text");
    std::cout << (said == "-" || said.empty() ? "" : "  " + said) << "\n";
  }
}

void print_last_exit(const json::object& pool) {
  const json::object& last = inner(pool, "last_exit");
  if (last.empty()) return;
  const std::string detail = text(last, "detail");
  const std::string pid = text(last, "pid");
  std::cout << "  last failure: worker " << text(last, "worker")
            << (pid == "0" ? "" : ", pid " + pid) << ", " << text(last, "diagnosis")
            << (detail == "-" ? "" : " (" + detail + ")") << ": " << text(last, "explanation")
            << "\n";
  if (text(last, "next_step") != "-" && !text(last, "next_step").empty())
    std::cout << "  next step: " << text(last, "next_step") << "\n";
  std::cout << "  all of it: poolwarden why " << text(pool, "name") << "\n";
}

void print_status(const json::object& report) {
  const json::object& supervisor = inner(report, "supervisor");
  const std::string gateway = text(supervisor, "gateway_pid");
  std::cout << "supervisor: up " << age(supervisor, "uptime_seconds") << ", containment "
            << text(inner(supervisor, "containment"), "cgroup") << ", "
            << (gateway == "0" ? "no gateway" : "gateway pid " + gateway) << ", gateway restarts "
            << text(supervisor, "gateway_restarts") << "\n";
  const json::value* pools = report.if_contains("pools");
  if (!pools || !pools->is_array()) return;
  for (const json::value& each : pools->get_array()) {
    if (!each.is_object()) continue;
    std::cout << pool_line(each.get_object()) << "\n";
    print_workers(each.get_object());
    print_last_exit(each.get_object());
  }
}

}  // namespace

int status_entry(const Words& words) {
  CommandLine line("status", "[--json]", "Shows pools and workers.");
  add_control_option(line);
  line.options()("json", "the whole report as JSON");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const bool as_json = options.count("json") != 0;
  return order(
      control_path(options), {{"command", "status"}}, [](const json::object&) {},
      [as_json](const json::object& report) {
        if (as_json) {
          std::cout << journal::serialized(report) << "\n";
        } else {
          print_status(report);
        }
      });
}

}  // namespace poolwarden::cli
