#include "config/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace poolwarden::config {
namespace {

constexpr const char* kExpected =
    "an address such as 0.0.0.0:8080, [::]:8080 or unix:/run/web.sock";
constexpr std::size_t kLongestSocketPath = 107;  // sun_path of sockaddr_un, less the final NUL

Error no_address(const std::string& text, const std::string& cure) {
  return failure(std::string("expected ") + kExpected + ", got \"" + text + "\"; " + cure);
}

bool is_ip(int family, const std::string& host) {
  in6_addr parsed{};
  return inet_pton(family, host.c_str(), &parsed) == 1;
}

Result<Address> parse_unix(const std::string& text, const std::string& path) {
  if (!path.starts_with('/')) return no_address(text, "the path must begin with /");
  if (path.size() > kLongestSocketPath) {
    return no_address(
        text, "a socket's path has at most 107 bytes, this has " + std::to_string(path.size()));
  }
  return Address{"", 0, path};
}

std::string cure_of_host(const std::string& host, const std::string& port) {
  if (host.empty() || host == "*") return "for all addresses write 0.0.0.0:" + port;
  if (host == "localhost") return "write 127.0.0.1:" + port;
  if (host.find(':') != std::string::npos) return "an IPv6 address needs brackets, as in [::1]:80";
  return "the host must be an IP address: names are not looked up";
}

}  // namespace

Result<Address> parse_address(const std::string& text) {
  if (text.starts_with("unix:")) return parse_unix(text, text.substr(5));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    const bool port_only = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    if (port_only) return no_address(text, "write 0.0.0.0:" + text);
    if (text.starts_with('/')) return no_address(text, "write unix:" + text);
    return no_address(text, "the port is missing");
  }
  std::string host = text.substr(0, colon);
  const std::string digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!is_ip(bracketed ? AF_INET6 : AF_INET, host)) {
    return no_address(text, cure_of_host(host, digits));
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return no_address(text, "a port is a number from 0 to 65535");
  }
  return Address{host, port, ""};
}

std::string describe(const Address& address) {
  if (!address.unix_path.empty()) return "unix:" + address.unix_path;
  const bool ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

bool Settings::speaks_http() const {
  return std::any_of(pools.begin(), pools.end(),
                     [](const pool::PoolSettings& pool) { return pool.speaks_http(); });
}

Settings default_settings() {
  Settings settings;
  settings.listen = {{"0.0.0.0", 8080, ""}};
  settings.admin = {"127.0.0.1", 9180, ""};
  settings.control = kDefaultControl;
  return settings;
}

}  // namespace poolwarden::config
