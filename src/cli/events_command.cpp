// `events`: what happened, from the supervisor's memory, and on request what happens from now on;
// or every event there is.

#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "pool/event_catalogue.h"

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

int describe(const CommandLine& line, const cxxopts::ParseResult& options) {
  for (const char* other : {"follow", "pool", "json"}) {
    if (options.count(other) != 0)
      return line.wrong(std::string("--describe and --") + other + " exclude each other");
  }
  const bool as_markdown = options.count("markdown") != 0;
  std::cout << (as_markdown ? pool::event_catalogue_markdown() : pool::event_catalogue_text());
  return kDone;
}

}  // namespace

int events_entry(const Words& words) {
  CommandLine line("events", "[--follow] [--pool P] [--json] | --describe [--markdown]",
                   "Shows the event log; with --describe every event there is, without a "
                   "supervisor.");
  add_control_option(line);
  line.options()("f,follow", "go on with what happens from now on")(
      "pool", "only events of this pool", cxxopts::value<std::string>())(
      "json", "one JSON object a line")("describe",
                                        "name, level, number in WAS, and meaning of every event")(
      "markdown", "with --describe: as the table of docs/events.md");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  if (options.count("describe") != 0) return describe(line, options);
  if (options.count("markdown") != 0) return line.wrong("--markdown needs --describe");
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
