#include "cli/check_command.h"

#include <cstdio>

#include "cli/commands.h"
#include "cli/load_settings.h"
#include "cli/this_machine.h"
#include "config/effective_settings.h"
#include "config/lint_settings.h"

namespace poolwarden::cli {
namespace {

void print_verdict(const LoadedSettings& loaded, std::FILE* out) {
  const std::size_t pools = loaded.parsed.settings.pools.size();
  std::fprintf(out, "%s: ok (%zu %s)\n", loaded.file_name.c_str(), pools,
               pools == 1 ? "pool" : "pools");
}

}  // namespace

int check_command(const CheckOptions& options) {
  Result<LoadedSettings> loaded = load_settings(options.file);
  if (!loaded) {
    std::fprintf(stderr, "poolwarden: %s\n", loaded.error().message.c_str());
    return kWrongUsage;
  }
  config::Parsed& parsed = loaded->parsed;
  if (parsed.ok()) {
    std::vector<config::Finding> lint = config::lint_settings(parsed.settings, this_machine());
    config::locate(lint, parsed.places);
    parsed.findings.insert(parsed.findings.end(), lint.begin(), lint.end());
  }
  print_findings(*loaded);
  if (!parsed.ok()) return kWrongUsage;
  // With --effective, standard output is the configuration and nothing else.
  print_verdict(*loaded, options.effective ? stderr : stdout);
  if (options.effective) std::fputs(config::effective_yaml(parsed.settings).c_str(), stdout);
  return kDone;
}

}  // namespace poolwarden::cli
