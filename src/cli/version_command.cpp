// `version`.

#include <iostream>

#include "cli/command_entries.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/version.h"

namespace poolwarden::cli {

Version version() {
#if defined(__clang__)
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return {POOLWARDEN_VERSION, POOLWARDEN_REVISION, compiler, POOLWARDEN_BUILD_TYPE};
}

int version_entry(const Words& words) {
  CommandLine line("version", "", "Tells the version of this program.");
  auto parsed = line.parse(words.before);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const Version told = version();
  std::cout << "poolwarden " << told.version << " (" << told.revision << ", " << told.compiler
            << ", " << told.build_type << ")\n";
  return kDone;
}

}  // namespace poolwarden::cli
