// Who started us, if it is a service manager that speaks systemd's protocol (sd_notify(3)): where
// it listens, and what is sent there.

#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "loop/unique_fd.h"

namespace poolwarden::process {

class ServiceManager {
 public:
  // Nobody listens.
  ServiceManager() = default;

  // What $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID say; they are taken out of our
  // environment. Errors: an address that is neither a path nor abstract ("@name").
  static Result<ServiceManager> from_environment();

  // How long it waits for WATCHDOG=1 before it takes us for hung. Absent: it does not wait for it.
  std::optional<Duration> watchdog() const { return watchdog_; }

  // `message`: lines of NAME=value. Never waits: what cannot be sent now is kept.
  void tell(std::string message);
  // Not worth anything later. Whether it was sent.
  bool tell_now_or_never(const std::string& message);
  // Sends what was kept; whether nothing is left.
  bool send_unsent();

 private:
  bool send(const std::string& message) const;

  std::string address_;  // as sun_path has it; empty: nobody listens
  std::optional<Duration> watchdog_;
  loop::UniqueFd socket_;
  std::deque<std::string> unsent_;
};

}  // namespace poolwarden::process
