// `reload`: has the supervisor read its configuration again and do what `plan` says.

#include "cli/client.h"
#include "cli/command_entries.h"
#include "cli/commands.h"

namespace poolwarden::cli {

int reload_entry(const Words& words) {
  CommandLine line("reload", "[FILE] [--wait] [--timeout T]",
                   "Puts FILE into effect, else the file that the supervisor was started with: "
                   "pools are changed, recycled, restarted, added and removed as `plan` says, and "
                   "no request is lost. A file that is not right changes nothing.");
  add_control_option(line);
  add_file_argument(line);
  add_wait_options(line, "all of it is done, and tell the truth");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  boost::json::object request = {{"command", "reload"}, {"file", file_argument(options)}};
  if (const auto put = put_patience(options, request); !put) return line.wrong(put.error().message);
  return order(control_path(options), request, print_line);
}

}  // namespace poolwarden::cli
