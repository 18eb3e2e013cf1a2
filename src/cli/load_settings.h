// Finds and reads the configuration file, for `run`, `check` and reloads.

#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "config/parse_settings.h"

namespace poolwarden::cli {

struct LoadedSettings {
  std::string file_name;
  std::string sha256;  // of the text
  config::Parsed parsed;
};

// `file`, or else ./poolwarden.yaml, or else /etc/poolwarden/poolwarden.yaml. An error is a file
// that cannot be read; what is wrong in it is in `parsed`.
Result<LoadedSettings> load_settings(const std::optional<std::string>& file);

// For the supervision thread: waits for nothing but a disk, so a pipe or a device is an error. At
// most 1 MiB is read; a local file of that size takes about a tenth of a second with its parsing.
Result<LoadedSettings> reload_settings(const std::string& file);

// All findings to standard error, one a line, as compilers write them.
void print_findings(const LoadedSettings& loaded);

}  // namespace poolwarden::cli
