// Text of poolwarden.yaml -> Settings. All errors are found in one pass, each with its place, what
// was expected, and the nearest known key; nothing is ever half-applied.

#pragma once

#include <string>
#include <vector>

#include "config/finding.h"
#include "config/settings.h"

namespace poolwarden::config {

struct Parsed {
  Settings settings;              // meaningful only without errors
  std::vector<Finding> findings;  // in file order; errors, warnings, "not in effect yet"
  Places places;                  // for locate(), when something is found later

  bool ok() const;  // no errors
};

Parsed parse_settings(const std::string& yaml_text);

}  // namespace poolwarden::config
