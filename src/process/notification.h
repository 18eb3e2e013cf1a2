// A message of sd_notify(3): lines of NAME=value.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace poolwarden::process {

struct Notification {
  bool ready = false;
  bool stopping = false;
  bool watchdog = false;
  std::optional<std::string> status;
  std::optional<std::string> unhealthy;  // X_POOLWARDEN_UNHEALTHY=reason, WATCHDOG=trigger
  std::optional<int> error_number;
};

// What is not known, or not understood, is left out.
Notification parse_notification(std::string_view text);

}  // namespace poolwarden::process
