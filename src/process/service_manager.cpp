#include "process/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace poolwarden::process {
namespace {

constexpr std::size_t kMostUnsent = 16;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value ? value : "";
  ::unsetenv(name);
  return taken;
}

std::optional<std::int64_t> as_positive(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || rest != end || number <= 0) return std::nullopt;
  return number;
}

// A watchdog may be meant for the shell that started us.
std::optional<Duration> take_watchdog() {
  const auto micros = as_positive(take_variable("WATCHDOG_USEC"));
  const std::string pid = take_variable("WATCHDOG_PID");
  if (!micros || (!pid.empty() && as_positive(pid) != ::getpid())) return std::nullopt;
  return std::chrono::microseconds(*micros);
}

}  // namespace

Result<ServiceManager> ServiceManager::from_environment() {
  ServiceManager manager;
  std::string address = take_variable("NOTIFY_SOCKET");
  const std::optional<Duration> watchdog = take_watchdog();
  if (address.empty()) return manager;
  const bool is_known = address.front() == '/' || address.front() == '@';
  if (!is_known || address.size() >= sizeof(sockaddr_un::sun_path))
    return failure("cannot tell the service manager anything: NOTIFY_SOCKET=" + address +
                   " is neither a path nor an abstract socket (@name) of 107 bytes at most");
  if (address.front() == '@') address.front() = '\0';
  manager.socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!manager.socket_)
    return errno_error(errno, "cannot make a socket to tell the service manager anything");
  manager.address_ = std::move(address);
  manager.watchdog_ = watchdog;
  return manager;
}

void ServiceManager::tell(std::string message) {
  if (address_.empty()) return;
  if (send_unsent() && send(message)) return;
  if (unsent_.size() >= kMostUnsent) unsent_.pop_front();
  unsent_.push_back(std::move(message));
}

bool ServiceManager::tell_now_or_never(const std::string& message) {
  return address_.empty() || (send_unsent() && send(message));
}

bool ServiceManager::send_unsent() {
  while (!unsent_.empty() && send(unsent_.front())) unsent_.pop_front();
  return unsent_.empty();
}

// Whether it needs no second try.
bool ServiceManager::send(const std::string& message) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), to.sun_path);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const ssize_t sent =
      ::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to), size);
  return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

}  // namespace poolwarden::process
