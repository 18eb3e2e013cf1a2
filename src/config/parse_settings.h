// Text of poolwarden.yaml -> Settings. All errors are found in one pass, each with its place, what
// was expected, and the nearest known key; nothing is ever half-applied.

#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace poolwarden::config {

// A finding at a place in the file. Lines and columns count from 1; 0 when the whole is meant.
struct Finding {
  enum class Kind { Error, Warning, NotInEffect };
  Kind kind = Kind::Error;
  int line = 0;
  int column = 0;
  std::string path;      // "pools.web.recycle.after_time"
  std::string message;   // "expected a duration such as 30s or 1h30m, got \"soon\""
  bool operator==(const Finding&) const = default;
};

// "poolwarden.yaml:12:5: error: pools.web.…: expected …"
std::string describe(const Finding& finding, const std::string& file_name);

struct Parsed {
  Settings settings;               // meaningful only without errors
  std::vector<Finding> findings;   // in file order; errors, warnings, "not in effect yet"

  bool ok() const;  // no errors
};

Parsed parse_settings(const std::string& yaml_text);

}  // namespace poolwarden::config
