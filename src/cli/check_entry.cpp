// `check` and `schema`: their command lines.

#include "cli/check_command.h"
#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/schema_command.h"

namespace poolwarden::cli {

int check_entry(const Words& words) {
  CommandLine line("check", "[FILE] [--effective]",
                   "Validates FILE, else ./poolwarden.yaml, else /etc/poolwarden/poolwarden.yaml: "
                   "every error with its place, then what is legal but will hurt.");
  line.options()("effective", "print the whole configuration, defaults and all")(
      "file", "the configuration file", cxxopts::value<std::string>());
  line.positional({"file"});
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const auto& options = std::get<cxxopts::ParseResult>(parsed);
  CheckOptions wanted;
  if (options.count("file") != 0) wanted.file = options["file"].as<std::string>();
  wanted.effective = options.count("effective") != 0;
  return check_command(wanted);
}

int schema_entry(const Words& words) {
  CommandLine line("schema", "", "Prints the JSON Schema of the configuration file.");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  return schema_command();
}

}  // namespace poolwarden::cli
