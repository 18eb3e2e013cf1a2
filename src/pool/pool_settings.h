// What the configuration says about one pool. Filled by config/parse_settings; a part's settings
// live with the part, so no policy knows the file format. An absent optional: no limit, off.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "worker/worker_settings.h"

namespace poolwarden::pool {

using namespace std::chrono_literals;

struct Route {
  std::string host = "*";  // "*", "example.org" or "*.example.org"; lower case
  std::string path = "/";  // a prefix that ends at a path segment
  bool operator==(const Route&) const = default;
};

struct WorkerCount {
  std::uint32_t min = 1;  // 0 = one per usable CPU
  std::uint32_t max = 1;
  bool operator==(const WorkerCount&) const = default;
};

enum class StartMode { Always, OnDemand, Manual };

struct Ping {
  std::optional<std::string> http_path;  // asked of each worker; absent: it is not asked
  bool notify = false;                   // the worker sends WATCHDOG=1 by itself (sd_notify(3))
  Duration interval = 30s;
  Duration timeout = 90s;
  bool operator==(const Ping&) const = default;
};

struct Health {
  Ping ping = {};
  int stack_signal = 6;  // to a worker that hangs: it may write a stack within stop.timeout
  std::optional<Duration> deadlock_after = 3min;
  Duration deadlock_cooldown = 9min;
  std::optional<Duration> request_timeout;
  bool operator==(const Health&) const = default;
};

struct TimeOfDay {  // local time
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  bool operator==(const TimeOfDay&) const = default;
};

struct Recycle {
  std::optional<std::uint64_t> after_requests;
  std::optional<Duration> after_time;
  std::vector<TimeOfDay> at;
  std::optional<Size> over_memory = Size(Percent{60});
  std::optional<Size> over_virtual_memory;
  std::uint32_t jitter_percent = 10;
  bool overlapped = true;
  std::uint32_t at_once = 1;
  bool on_config_change = true;
  bool operator==(const Recycle&) const = default;
};

enum class IdleAction { Terminate, Suspend };

struct Idle {
  std::optional<Duration> after;
  IdleAction action = IdleAction::Terminate;
  Duration spare_after = 1min;  // workers above workers.min that nothing needed for so long leave
  // Share of the memory that this container may use, from which on `after` shortens. Absent: never.
  std::optional<std::uint32_t> under_pressure_percent;
  bool operator==(const Idle&) const = default;
};

struct Queue {
  std::uint32_t limit = 1000;
  std::optional<Duration> timeout = 2min;
  std::optional<std::uint32_t> recycle_over = 5000;
  std::optional<std::uint32_t> restart_limit = 10;
  std::optional<Duration> client_check = 5s;
  bool operator==(const Queue&) const = default;
};

enum class WhenOpen { Respond503, Reset };

struct RapidFailSettings {
  std::optional<std::uint32_t> failures = 5;  // absent: protection is off
  Duration within = 5min;
  WhenOpen when_open = WhenOpen::Respond503;
  std::optional<Duration> retry_after;
  std::vector<std::string> action;
  bool operator==(const RapidFailSettings&) const = default;
};

struct Orphan {
  bool keep = false;
  std::vector<std::string> action;
  std::uint32_t at_most = 1;
  bool operator==(const Orphan&) const = default;
};

enum class LogLevel { All, Errors, None };

struct PoolSettings {
  std::string name;
  worker::WorkerSettings worker = {};
  std::vector<Route> routes;  // empty: a pool without HTTP
  WorkerCount workers = {};
  StartMode start = StartMode::Always;
  std::uint32_t concurrency = 32;  // requests in flight per worker
  Health health = {};
  Recycle recycle = {};
  Idle idle = {};
  Queue queue = {};
  RapidFailSettings rapid_fail = {};
  Orphan orphan = {};
  bool essential = false;
  LogLevel log_level = LogLevel::Errors;
  bool operator==(const PoolSettings&) const = default;

  bool speaks_http() const { return !routes.empty(); }
  bool grows() const { return workers.min != 0 && workers.max > workers.min; }
};

}  // namespace poolwarden::pool
