// What a worker finds in its environment: who it is, where to listen, and the faults that a test
// asks for at start-up.

#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace poolwarden::sample {

struct Identity {
  std::string pool;
  std::string slot;
  std::string generation;
  pid_t pid = 0;
};

struct StartupFaults {
  std::optional<int> exit_code;  // SAMPLE_EXIT_AT_START
  Duration delay{};              // SAMPLE_START_DELAY
  bool never_ready = false;      // SAMPLE_NEVER_READY
};

// The value of an environment variable; absent when it is not set or empty.
std::optional<std::string> environment(const char* name);

Identity identity_from_environment();
Result<StartupFaults> faults_from_environment();

// How often at least the supervisor wants to hear WATCHDOG=1 (WATCHDOG_USEC of
// sd_watchdog_enabled(3)).
std::optional<Duration> watchdog_limit();

// Tells the supervisor by systemd's protocol; without NOTIFY_SOCKET there is nobody to tell.
Result<void> notify_supervisor(const std::string& message);

}  // namespace poolwarden::sample
