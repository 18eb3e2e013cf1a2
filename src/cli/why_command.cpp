// `why`: what the workers of a pool, or of one slot of it, died of.

#include <charconv>
#include <iostream>

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"
#include "cli/why_text.h"
#include "journal/json_values.h"

namespace poolwarden::cli {
namespace {

// "web", or "web/0" for its worker 0: a pool's name has no slash.
Result<void> put_whom(const std::string& whom, boost::json::object& request) {
  const std::size_t slash = whom.find('/');
  request["pool"] = whom.substr(0, slash);
  if (slash == std::string::npos) return {};
  std::uint32_t slot = 0;
  const std::string digits = whom.substr(slash + 1);
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, slot);
  if (error != std::errc{} || stopped != end)
    return failure("expected POOL/WORKER such as web/0, got \"" + whom + "\"");
  request["worker"] = slot;
  return {};
}

Result<boost::json::object> request_from(const cxxopts::ParseResult& options) {
  const bool names_pool = options.count("pool") != 0;
  boost::json::object request{{"command", "why"}};
  if (options.count("number") != 0) {
    const auto wanted = number_option(options, "number");
    if (!wanted) return wanted.error();
    if (names_pool || options.count("last") != 0)
      return failure("--number stands for itself: a pool and --last have no place beside it");
    request["number"] = *wanted;
    return request;
  }
  if (!names_pool) return failure("which pool?");
  const auto last = number_option(options, "last", {.least = 1});
  if (!last) return last.error();
  request["last"] = *last;
  if (auto put = put_whom(options["pool"].as<std::string>(), request); !put) return put.error();
  return request;
}

}  // namespace

int why_entry(const Words& words) {
  CommandLine line(
      "why", "{POOL[/WORKER] [--last N] | --number N} [--json]",
      "Shows the lives of the workers of a pool, or of its worker WORKER, and what they "
      "died of, newest first: the death certificates with all that is known. With --number the "
      "one that an event or the status names.");
  add_control_option(line);
  line.options()("pool", "the pool, or one of its workers as in web/0",
                 cxxopts::value<std::string>())("last", "how many lives and certificates",
                                                cxxopts::value<std::string>()->default_value("5"))(
      "number", "this certificate alone", cxxopts::value<std::string>())(
      "json", "everything, as one JSON object");
  line.positional({"pool"});
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  const auto request = request_from(options);
  if (!request) return line.wrong(request.error().message);
  return order(
      control_path(options), *request, [](const boost::json::object&) {},
      [&](const boost::json::object& answer) {
        if (options.count("json") != 0) {
          std::cout << journal::serialized(answer) << "\n";
        } else {
          std::cout << why_text(answer);
        }
      });
}

}  // namespace poolwarden::cli
