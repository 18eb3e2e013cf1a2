// JSON Schema (draft 2020-12) of the configuration file, for editors: `poolwarden schema`. Made
// from the same table of keys that the parser reads by, so they cannot drift.

#pragma once

#include <string>

namespace poolwarden::config {

std::string json_schema();

}  // namespace poolwarden::config
