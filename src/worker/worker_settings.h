// What the configuration says about each worker of a pool: the command, who it runs as, how it is
// reached, when it is ready, how it is stopped, what it may use. Filled by config/parse_settings.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/units.h"

namespace poolwarden::worker {

using namespace std::chrono_literals;

struct Identity {
  std::optional<std::string> user = {};  // a name or a number; absent: as the supervisor
  std::vector<std::string> groups = {};  // supplementary; the user's own group comes from passwd
  std::optional<unsigned> umask = {};
  bool no_new_privileges = true;
  std::optional<std::vector<std::string>> capabilities = {};  // absent: as they are; empty: none
  bool operator==(const Identity&) const = default;
};

enum class ConnectMode { Unix, Tcp, Inherit };

// When a worker counts as ready.
struct WhenConnect {
  bool operator==(const WhenConnect&) const = default;
};
struct WhenNotify {
  bool operator==(const WhenNotify&) const = default;
};
struct WhenHttp {
  std::string path;
  bool operator==(const WhenHttp&) const = default;
};
struct WhenStarted {  // exec succeeded
  bool operator==(const WhenStarted&) const = default;
};
using ReadyWhen = std::variant<WhenConnect, WhenNotify, WhenHttp, WhenStarted>;

struct Ready {
  ReadyWhen when = WhenConnect{};
  std::optional<Duration> timeout = 90s;
  bool operator==(const Ready&) const = default;
};

struct Stop {
  int signal = 15;
  std::optional<Duration> timeout = 5s;  // from the stop signal to the kill of the whole tree
  // How long `stop` and a shutdown wait for requests in flight before the stop signal. A recycle
  // waits for them without limit.
  std::optional<Duration> drain = 4s;
  // How long a worker that leaves is held up by tunnels (WebSockets) alone; then they are cut.
  std::optional<Duration> tunnels = 1min;
  bool operator==(const Stop&) const = default;
};

enum class CpuAction { Throttle, Kill, Log };
enum class Containment { Required, BestEffort };

// What `limits.core: infinite` gives; the same number as RLIM_INFINITY.
inline constexpr Bytes kUnlimitedCore{~std::uint64_t{0}};

struct Limits {
  std::optional<Size> memory = {};
  std::optional<Size> memory_high = {};
  std::optional<Percent> cpu = {};  // 150% is one and a half CPUs
  CpuAction cpu_action = CpuAction::Throttle;
  Duration cpu_window = 5min;  // in which cpu is counted, for whom nothing holds at it
  std::optional<std::uint32_t> cpu_weight = {};  // of 100, as all have it that have none
  std::optional<std::uint64_t> pids = {};
  std::optional<std::uint64_t> open_files = {};
  std::optional<Size> core = {};  // absent: no core files (RLIMIT_CORE 0); kUnlimitedCore: any size
  std::optional<std::string> affinity = {};  // a CPU list as in cpuset(7): "0-1,4"
  // Each worker is bound to so many CPUs of `affinity`, or of all, slot by slot. Absent: to all.
  std::optional<std::uint32_t> affinity_each = {};
  bool operator==(const Limits&) const = default;
};

struct Threads {  // told to the worker in its environment
  std::uint32_t worker = 20;
  std::uint32_t io = 20;
  bool operator==(const Threads&) const = default;
};

struct WorkerSettings {
  // An argument list, run without a shell. A string in the file becomes {"/bin/sh", "-c", string}.
  std::vector<std::string> command = {};
  std::optional<std::string> directory = {};
  std::map<std::string, std::string> environment = {};
  Identity identity = {};
  ConnectMode connect = ConnectMode::Unix;
  Threads threads = {};
  Ready ready = {};
  Stop stop = {};
  Limits limits = {};
  Containment containment = Containment::Required;
  bool operator==(const WorkerSettings&) const = default;
};

// Whether any of the limits needs a cgroup.
bool needs_cgroup(const Limits& limits);

// How many CPUs a list of cpuset(7) names: 3 of "0-1,4". The list is one that was checked.
std::uint32_t count_cpus(const std::string& list);

// Replaces ${NAME} by its value in `environment`; "$$" is a dollar sign. An unknown name becomes
// empty, as in a shell.
std::string expand(const std::string& text, const std::map<std::string, std::string>& environment);

}  // namespace poolwarden::worker
