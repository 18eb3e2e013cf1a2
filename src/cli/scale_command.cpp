// `scale`: how many workers a pool has, from now on.

#include <charconv>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {
namespace {

constexpr std::uint32_t kMostWorkers = 1024;  // of one pool, as in the configuration

struct Count {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
};

Result<std::uint32_t> parse_number(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc{} && stopped == end && number <= kMostWorkers) return number;
  return failure("expected a number from 1 to " + std::to_string(kMostWorkers) +
                 ", or two as in 2-4, got \"" + text + "\"");
}

Result<Count> parse_count(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto min = parse_number(text.substr(0, dash));
  if (!min) return min.error();
  const auto max = dash == std::string::npos ? min : parse_number(text.substr(dash + 1));
  if (!max) return max.error();
  if (*min == 0) return failure("a pool without a worker is a stopped one; use: poolwarden stop");
  if (*max < *min) return failure("the second number is less than the first one");
  return Count{*min, *max};
}

}  // namespace

int scale_entry(const Words& words) {
  CommandLine line("scale", "POOL N|MIN-MAX [--wait] [--timeout T]",
                   "Has a pool run N workers, or as many between MIN and MAX as it needs, until it "
                   "is scaled again, or a reload changes `workers`, or the supervisor ends.");
  add_control_option(line);
  add_wait_options(line, "as many workers serve, and no more are left");
  line.options()("pool", "name of the pool", cxxopts::value<std::string>())(
      "count", "how many workers: 3, or 2-4", cxxopts::value<std::string>());
  line.positional({"pool", "count"});
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  if (options.count("pool") == 0 || options.count("count") == 0)
    return line.wrong("name the pool, and how many workers it is to have");
  const auto count = parse_count(options["count"].as<std::string>());
  if (!count) return line.wrong(count.error().message);
  boost::json::object request = {{"command", "scale"},
                                 {"pool", options["pool"].as<std::string>()},
                                 {"min", count->min},
                                 {"max", count->max}};
  if (const auto put = put_patience(options, request); !put) return line.wrong(put.error().message);
  return order(control_path(options), request, print_line);
}

}  // namespace poolwarden::cli
