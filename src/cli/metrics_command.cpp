// `metrics`: what /metrics of the admin address says, without HTTP; or every metric there is.

#include <boost/json/serialize.hpp>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "metrics/describe.h"

namespace poolwarden::cli {
namespace {

int describe(const CommandLine& line, const cxxopts::ParseResult& options) {
  const bool as_json = options.count("json") != 0;
  const bool as_markdown = options.count("markdown") != 0;
  if (as_json && as_markdown) return line.wrong("--json and --markdown exclude each other");
  if (as_json) {
    std::cout << boost::json::serialize(metrics::catalogue_json()) << "\n";
  } else {
    std::cout << (as_markdown ? metrics::catalogue_markdown() : metrics::catalogue_text());
  }
  return kDone;
}

}  // namespace

int metrics_entry(const Words& words) {
  CommandLine line("metrics", "[--describe [--json | --markdown]]",
                   "Prints the metrics of the running supervisor in the Prometheus text format; "
                   "with --describe every metric there is, without a supervisor.");
  add_control_option(line);
  line.options()("describe", "name, type, labels, and meaning of every metric")(
      "json", "with --describe: as JSON")("markdown",
                                          "with --describe: as the tables of docs/metrics.md");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  if (options.count("describe") != 0) return describe(line, options);
  if (options.count("json") + options.count("markdown") != 0)
    return line.wrong("--json and --markdown need --describe");
  return order(
      control_path(options), {{"command", "metrics"}}, [](const boost::json::object&) {},
      [](const boost::json::object& data) {
        if (const auto* text = data.if_contains("text"); text && text->is_string())
          std::cout << std::string_view(text->get_string());
      });
}

}  // namespace poolwarden::cli
