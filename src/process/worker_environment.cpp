#include "process/worker_environment.h"

#include <unistd.h>

namespace poolwarden::process {
namespace {

const char* const kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_for_us_alone(const std::string& name) {
  return name.starts_with("POOLWARDEN_") || name.starts_with("LISTEN_") ||
         name.starts_with("WATCHDOG_") || name == "NOTIFY_SOCKET";
}

void tell_account(const Account& account, Environment& environment) {
  if (account.name.empty()) return;
  environment["USER"] = environment["LOGNAME"] = account.name;
  environment["HOME"] = account.home;
  environment["SHELL"] = account.shell;
}

void tell_place(const Place& place, Environment& environment) {
  environment["NOTIFY_SOCKET"] = place.notify_socket;
  if (!place.socket.empty()) environment["POOLWARDEN_SOCKET"] = place.socket;
  if (place.port != 0) {
    environment["HOST"] = "127.0.0.1";
    environment["PORT"] = std::to_string(place.port);
  }
  if (place.passed) {
    environment["LISTEN_FDS"] = "1";  // LISTEN_PID is added by the child, like WATCHDOG_PID
    environment["LISTEN_FDNAMES"] = "http";
  }
}

std::string microseconds(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::microseconds>(duration).count());
}

}  // namespace

Environment inherited_environment() {
  Environment environment;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    const std::string name = text.substr(0, equals);
    if (!is_for_us_alone(name)) environment[name] = text.substr(equals + 1);
  }
  return environment;
}

Environment worker_environment(const Environment& inherited, const Account& account,
                               const worker::Assignment& assignment,
                               const worker::WorkerSettings& settings, const Place& place) {
  Environment environment = inherited;
  environment.try_emplace("PATH", kDefaultPath);
  tell_account(account, environment);
  tell_place(place, environment);
  environment["POOLWARDEN_POOL"] = assignment.pool;
  environment["POOLWARDEN_WORKER"] = std::to_string(assignment.slot);
  environment["POOLWARDEN_GENERATION"] = std::to_string(assignment.generation);
  environment["POOLWARDEN_WORKER_THREADS"] = std::to_string(settings.threads.worker);
  environment["POOLWARDEN_IO_THREADS"] = std::to_string(settings.threads.io);

  if (assignment.watch.watchdog)
    environment["WATCHDOG_USEC"] = microseconds(assignment.watch.ping_timeout);

  // A setting may refer to what the worker gets anyway (PATH: "/opt/bin:${PATH}"), and to another
  // setting.
  Environment known = environment;
  for (const auto& setting : settings.environment) known.insert(setting);
  for (const auto& [name, value] : settings.environment)
    environment[name] = worker::expand(value, known);
  for (const auto& [name, value] : assignment.extra_environment) environment[name] = value;
  return environment;
}

}  // namespace poolwarden::process
