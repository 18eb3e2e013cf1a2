// `events`: what happened, from the supervisor's memory, and on request what happens from now on;
// or every event there is.

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <utility>

#include "base/clean_text.h"
#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "journal/json_values.h"
#include "pool/event_catalogue.h"
#include "pool/was_number.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

// Workers and clients put words into it.
std::string text_of(const json::object& line, const char* key) {
  const auto* value = line.if_contains(key);
  if (!value) return "";
  return value->is_string() ? escaped(std::string_view(value->get_string()))
                            : json::serialize(*value);
}

void print_text(const json::object& event) {
  std::cout << text_of(event, "time") << " " << text_of(event, "level") << " "
            << text_of(event, "event");
  const std::pair<const char*, const char*> names[] = {
      {"pool", "pool"}, {"worker", "worker"}, {"generation", "gen"}, {"pid", "pid"}};
  for (const auto& [key, shown] : names) {
    if (event.contains(key)) std::cout << " " << shown << "=" << text_of(event, key);
  }
  std::cout << ": " << text_of(event, "message") << std::endl;
}

json::string json_words(std::string_view text) { return json::string(text.data(), text.size()); }

// null: WAS has no such event.
json::object level_and_number(pool::Level level, int was_number) {
  json::object made = {{"level", json_words(name(level))}, {"was", nullptr}};
  if (was_number != 0) made["was"] = was_number;
  return made;
}

json::array event_catalogue_json() {
  json::array all;
  for (int i = 0; i < pool::kEventKinds; ++i) {
    const pool::EventType& type = pool::type_of(static_cast<pool::EventKind>(i));
    json::object event = level_and_number(type.level, type.was_number);
    event["name"] = json_words(type.name);
    event["meaning"] = json_words(type.meaning);
    json::array cases;
    for (const pool::WasNumber& each : pool::was_numbers()) {
      if (each.kind != type.kind) continue;
      json::object one = level_and_number(each.level, each.number);
      one["when"] = json_words(each.when);
      cases.push_back(std::move(one));
    }
    event["cases"] = std::move(cases);
    all.push_back(std::move(event));
  }
  return all;
}

int describe_events(const CommandLine& line, const cxxopts::ParseResult& options) {
  for (const char* other : {"follow", "pool"}) {
    if (options.count(other) != 0)
      return line.wrong(std::string("--describe and --") + other + " exclude each other");
  }
  const bool as_markdown = options.count("markdown") != 0;
  if (as_markdown && options.count("json") != 0)
    return line.wrong("--json and --markdown exclude each other");
  if (options.count("json") != 0) {
    std::cout << json::serialize(event_catalogue_json()) << "\n";
  } else {
    std::cout << (as_markdown ? pool::event_catalogue_markdown() : pool::event_catalogue_text());
  }
  return kDone;
}

}  // namespace

int events_entry(const Words& words) {
  CommandLine line("events", "[--follow] [--pool P] [--json] | --describe [--markdown | --json]",
                   "Shows the event log; with --describe every event there is, without a "
                   "supervisor.");
  add_control_option(line);
  line.options()("f,follow", "go on with what happens from now on")(
      "pool", "only events of this pool", cxxopts::value<std::string>())(
      "json", "one JSON object a line; with --describe one array")(
      "describe", "name, level, number in WAS, and meaning of every event")(
      "markdown", "with --describe: as the table of docs/events.md");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  if (options.count("describe") != 0) return describe_events(line, options);
  if (options.count("markdown") != 0) return line.wrong("--markdown needs --describe");
  const bool as_json = options.count("json") != 0;
  json::object request = {{"command", "events"}, {"follow", options.count("follow") != 0}};
  if (options.count("pool") != 0) request["pool"] = options["pool"].as<std::string>();
  return order(control_path(options), request, [as_json](const json::object& told) {
    const auto* event = told.if_contains("event");
    if (!event || !event->is_object()) return;
    if (as_json) {
      std::cout << journal::serialized(*event) << std::endl;
    } else {
      print_text(event->get_object());
    }
  });
}

}  // namespace poolwarden::cli
