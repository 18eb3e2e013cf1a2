// What a worker sends to $NOTIFY_SOCKET.

#include "process/notification.h"

#include "fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace poolwarden;
  constexpr std::size_t kMost = 512;
  const process::Notification read = process::parse_notification(fuzz::text_of(data, size));
  fuzz::check(read.status.value_or("").size() <= kMost, "STATUS is cut");
  fuzz::check(read.unhealthy.value_or("").size() <= kMost, "X_POOLWARDEN_UNHEALTHY is cut");
  fuzz::check(read.status.value_or("").find('\n') == std::string::npos, "STATUS is one line");
  return 0;
}
