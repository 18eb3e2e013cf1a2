// What a drill found, as JSON and as text for people.

#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "cli/drill_load.h"

namespace poolwarden::cli {

struct DrillFindings {
  std::string pool;
  std::string drill;  // "segv", "exit=3"
  int exit_code = 0;
  boost::json::object course;       // what the supervisor said of it
  std::optional<LoadOutcome> load;  // absent for a pool without HTTP
  boost::json::object lost_before;  // poolwarden_http_requests_lost_total by cause
  boost::json::object lost_after;
};

boost::json::object as_json(const DrillFindings& findings);

// The same object as text.
std::string as_text(const boost::json::object& report);

}  // namespace poolwarden::cli
