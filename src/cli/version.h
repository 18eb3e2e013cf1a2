// What this program is a build of; for `version`, the metric and the API.

#pragma once

#include <string>

namespace poolwarden::cli {

struct Version {
  std::string version;
  std::string revision;  // of the source repository, "unknown" outside of one
  std::string compiler;
  std::string build_type;
};

Version version();

}  // namespace poolwarden::cli
