// `plan`: what a reload would change, pool by pool.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "cli/request_fields.h"

namespace poolwarden::cli {
namespace {

namespace json = boost::json;

std::string list_of(const json::object& object, const char* key) {
  const json::value* list = object.if_contains(key);
  if (!list || !list->is_array()) return "";
  std::string words;
  for (const json::value& word : list->get_array()) {
    if (!word.is_string()) continue;
    words.append(words.empty() ? "" : ", ").append(word.get_string());
  }
  return words;
}

void print_row(const std::string& pool, std::size_t width, const std::string& change,
               const std::string& keys) {
  constexpr std::size_t kChange = 13;  // "live change", the longest, and two spaces
  std::string row = pool + std::string(width - std::min(width, pool.size()), ' ') + change;
  if (!keys.empty()) row += std::string(kChange - std::min(kChange, change.size()), ' ') + keys;
  std::cout << row << "\n";
}

void print_table(const json::object& plan) {
  const json::array& pools = plan.at("pools").as_array();
  std::size_t width = std::string("pool").size();
  for (const json::value& each : pools)
    width = std::max(width, text(each.as_object(), "pool").size());
  width += 2;
  print_row("pool", width, "change", "keys");
  for (const json::value& each : pools) {
    const json::object& pool = each.as_object();
    print_row(text(pool, "pool"), width, text(pool, "change"), list_of(pool, "keys"));
  }
  const std::string live = list_of(plan, "live");
  if (!live.empty()) print_row("(top)", width, "live change", live);
  const std::string fixed = list_of(plan, "fixed");
  if (!fixed.empty()) print_row("(top)", width, "restart", fixed);
}

bool changes_nothing(const json::object& plan) {
  if (!list_of(plan, "live").empty()) return false;
  const json::array& pools = plan.at("pools").as_array();
  return std::all_of(pools.begin(), pools.end(), [](const json::value& pool) {
    return text(pool.as_object(), "change") == "unchanged";
  });
}

void print_verdict(const json::object& plan) {
  const std::string refused = text(plan, "refused");
  if (!refused.empty()) {
    std::cout << "A reload would change nothing: " << refused << ".\n";
  } else if (changes_nothing(plan)) {
    std::cout << "A reload would change nothing.\n";
  }
}

}  // namespace

int plan_entry(const Words& words) {
  CommandLine line("plan", "[FILE] [--json]",
                   "Shows what `reload` would change with FILE, else with the file that the "
                   "supervisor was started with. Changes nothing.");
  add_control_option(line);
  add_file_argument(line);
  line.options()("json", "the plan as JSON");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const json::object request = {{"command", "plan"}, {"file", file_argument(options)}};
  return order(control_path(options), request, print_line, [&](const json::object& plan) {
    if (options.count("json") != 0) {
      std::cout << json::serialize(plan) << "\n";
    } else {
      print_table(plan);
      print_verdict(plan);
    }
  });
}

}  // namespace poolwarden::cli
