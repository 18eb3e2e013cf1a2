// `events`: what happened, from the supervisor's memory, and on request what happens from now on.

#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {
namespace {

std::string text_of(const boost::json::object& line, const char* key) {
  const auto* value = line.if_contains(key);
  if (!value) return "";
  return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

void print_text(const boost::json::object& event) {
  std::cout << text_of(event, "time") << " " << text_of(event, "level") << " "
            << text_of(event, "event");
  for (const char* key : {"pool", "worker", "generation", "pid"}) {
    if (event.contains(key)) std::cout << " " << key << "=" << text_of(event, key);
  }
  std::cout << ": " << text_of(event, "message") << std::endl;
}

}  // namespace

int events_entry(const Words& words) {
  CommandLine line("events", "[--follow] [--pool P] [--json]", "Shows the event log.");
  add_control_option(line);
  line.options()("f,follow", "go on with what happens from now on")(
      "pool", "only events of this pool", cxxopts::value<std::string>())("json",
                                                                         "one JSON object a line");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const bool json = options.count("json") != 0;
  boost::json::object request = {{"command", "events"}, {"follow", options.count("follow") != 0}};
  if (options.count("pool") != 0) request["pool"] = options["pool"].as<std::string>();
  return order(control_path(options), request, [json](const boost::json::object& told) {
    const auto* event = told.if_contains("event");
    if (!event || !event->is_object()) return;
    if (json) {
      std::cout << boost::json::serialize(*event) << std::endl;
    } else {
      print_text(event->get_object());
    }
  });
}

}  // namespace poolwarden::cli
