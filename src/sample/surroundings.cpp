#include "sample/surroundings.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/units.h"
#include "loop/unique_fd.h"

namespace poolwarden::sample {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

Identity identity_from_environment() {
  return {environment("POOLWARDEN_POOL").value_or("none"),
          environment("POOLWARDEN_WORKER").value_or("0"),
          environment("POOLWARDEN_GENERATION").value_or("0"), ::getpid()};
}

Result<StartupFaults> faults_from_environment() {
  StartupFaults faults;
  if (const auto code = environment("SAMPLE_EXIT_AT_START")) {
    faults.exit_code = 1;
    std::from_chars(code->data(), code->data() + code->size(), *faults.exit_code);
  }
  if (const auto delay = environment("SAMPLE_START_DELAY")) {
    const Result<Duration> parsed = parse_finite_duration(*delay);
    if (!parsed) return parsed.error().because("cannot read SAMPLE_START_DELAY");
    faults.delay = *parsed;
  }
  faults.never_ready = environment("SAMPLE_NEVER_READY").has_value();
  return faults;
}

std::optional<Duration> watchdog_limit() {
  const auto text = environment("WATCHDOG_USEC");
  std::int64_t microseconds = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), microseconds);
  if (microseconds <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

Result<void> notify_supervisor(const std::string& message) {
  const auto path = environment("NOTIFY_SOCKET");
  if (!path) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path->size() >= sizeof(address.sun_path)) {
    return failure("cannot notify the supervisor: NOTIFY_SOCKET is too long");
  }
  std::memcpy(address.sun_path, path->data(), path->size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract namespace

  const loop::UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error(errno, "cannot notify the supervisor");
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
  if (::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    return errno_error(errno, "cannot notify the supervisor at " + *path);
  }
  return {};
}

}  // namespace poolwarden::sample
