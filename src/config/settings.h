// The whole configuration as values: what poolwarden.yaml says, after defaults.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pool/pool_settings.h"

namespace poolwarden::config {

enum class LogFormat { Automatic, Json, Text };  // Automatic: text on a terminal, else json
enum class Severity { Debug, Info, Warning, Error };

struct Log {
  LogFormat format = LogFormat::Automatic;
  Severity level = Severity::Info;
  bool operator==(const Log&) const = default;
};

struct Address {     // "0.0.0.0:8080", "[::]:8080", "unix:/run/web.sock"
  std::string host;  // empty for a Unix socket; without the brackets of IPv6
  std::uint16_t port = 0;
  std::string unix_path;  // empty for TCP
  bool operator==(const Address&) const = default;
};

struct Gateway {
  std::uint32_t processes = 1;  // 0 = one per CPU
  std::string user = "nobody";
  bool operator==(const Gateway&) const = default;
};

struct Shutdown {
  std::optional<Duration> delay;  // serves on for so long, that load balancers look elsewhere first
  bool operator==(const Shutdown&) const = default;
};

struct Settings {
  std::vector<Address> listen;       // default 0.0.0.0:8080
  Address admin;                     // default 127.0.0.1:9180
  std::string control;               // path of the control socket
  std::optional<std::string> state;  // directory for what is to survive a restart
  Log log = {};
  Gateway gateway = {};
  Shutdown shutdown = {};
  std::vector<pool::PoolSettings> pools;
  bool operator==(const Settings&) const = default;

  bool speaks_http() const;  // some pool does
};

Result<Address> parse_address(const std::string& text);
std::string describe(const Address& address);  // as it is written in the file

// The settings of `run` without a file, and of every key that a file leaves out.
Settings default_settings();
inline constexpr const char* kDefaultControl = "/run/poolwarden/control.sock";

}  // namespace poolwarden::config
