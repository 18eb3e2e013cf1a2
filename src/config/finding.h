// What was found wrong, or worth knowing, at a place of the configuration file.

#pragma once

#include <map>
#include <string>
#include <vector>

namespace poolwarden::config {

// Lines and columns count from 1; 0 when the whole file is meant.
struct Place {
  int line = 0;
  int column = 0;
  bool operator==(const Place&) const = default;
};

struct Finding {
  enum class Kind { Error, Warning, NotInEffect };
  Kind kind = Kind::Error;
  int line = 0;
  int column = 0;
  std::string path;     // "pools.web.recycle.after_time"
  std::string message;  // "expected a duration such as 30s or 1h30m, got \"soon\""
  bool operator==(const Finding&) const = default;
};

// "poolwarden.yaml:12:5: error: pools.web.…: expected …"
std::string describe(const Finding& finding, const std::string& file_name);

using Places = std::map<std::string, Place>;  // of every path that the file gives a value

// Gives each finding without a place that of its path, or of what is nearest above it.
void locate(std::vector<Finding>& findings, const Places& places);

}  // namespace poolwarden::config
