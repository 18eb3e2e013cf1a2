// Where a supervisor's configuration came from, so that it can be read again.

#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "config/settings.h"

namespace poolwarden::cli {

struct SettingsSource {
  config::Settings settings;  // as they are to be in effect
  std::string file;           // absolute; empty when there is none: `run -- CMD`, `demo`
  std::string sha256;         // of the file
  // What the command line says in place of the file.
  std::function<Result<void>(config::Settings&)> overrides;
};

}  // namespace poolwarden::cli
