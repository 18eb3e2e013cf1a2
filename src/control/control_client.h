// The control socket, the command's end: sends one request and reads answers until the last one.

#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace poolwarden::control {

struct Answer {
  int exit_code = 0;
  std::string message;
  boost::json::object data;
};

// `on_line` is called for each line before the last: progress, events. Errors: nobody listens
// there (code connection_refused or no_such_file_or_directory), it may not be reached, it hung up.
// `within`: how long all of it may take (code timed_out); absent: as long as it takes.
Result<Answer> ask(const std::string& path, const boost::json::object& request,
                   const std::function<void(const boost::json::object&)>& on_line,
                   std::optional<Duration> within = std::nullopt);

}  // namespace poolwarden::control
