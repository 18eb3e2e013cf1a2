// `poolwarden check`: what is wrong with a configuration, and what will hurt.

#pragma once

#include <optional>
#include <string>

namespace poolwarden::cli {

struct CheckOptions {
  std::optional<std::string> file = {};
  bool effective = false;  // print the whole configuration, defaults and all
};

// The exit code: 0 usable, 2 not, or not readable.
int check_command(const CheckOptions& options);

}  // namespace poolwarden::cli
