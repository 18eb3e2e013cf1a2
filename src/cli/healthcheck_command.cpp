// `healthcheck`: whether the supervisor and its pools are well, as an exit code: for HEALTHCHECK of
// an image, and for whoever cannot ask /readyz.

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {
namespace {

// Docker kills a check that takes too long, and then nobody learns why.
constexpr std::chrono::seconds kPatience{3};

}  // namespace

int healthcheck_entry(const Words& words) {
  CommandLine line("healthcheck", "[--live]",
                   "Tells whether the supervisor is ready, as /readyz does: 0 when it is; 1 when a "
                   "pool cannot serve, with the reason; 3 when the supervisor does not answer "
                   "within 3 s; 4 when there is none.");
  add_control_option(line);
  line.options()("live", "whether the supervisor answers; its pools do not matter");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  return order(
      control_path(options), {{"command", "healthcheck"}, {"live", options.count("live") != 0}},
      [](const boost::json::object&) {}, {}, kPatience);
}

}  // namespace poolwarden::cli
