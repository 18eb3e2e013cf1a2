#include "process/notification.h"

#include <charconv>

namespace poolwarden::process {
namespace {

constexpr std::size_t kLongestText = 512;

void take_line(std::string_view line, Notification& found) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view name = line.substr(0, equals);
  const std::string_view value = line.substr(equals + 1);
  if (name == "READY") found.ready = value == "1";
  if (name == "STOPPING") found.stopping = value == "1";
  if (name == "WATCHDOG") found.watchdog = value == "1";
  if (name == "WATCHDOG" && value == "trigger") found.unhealthy = "WATCHDOG=trigger";
  if (name == "STATUS") found.status = std::string(value.substr(0, kLongestText));
  if (name == "X_POOLWARDEN_UNHEALTHY")
    found.unhealthy = std::string(value.substr(0, kLongestText));
  if (name == "ERRNO") {
    int number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, number);
    if (error == std::errc() && rest == end) found.error_number = number;
  }
}

}  // namespace

Notification parse_notification(std::string_view text) {
  Notification found;
  while (!text.empty()) {
    const auto end = text.find('\n');
    take_line(text.substr(0, end), found);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return found;
}

}  // namespace poolwarden::process
