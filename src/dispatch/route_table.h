// Which pool a request belongs to, by its host and path. The most specific route wins: an exact
// host before "*.suffix" (the longest first) before "*", and within a host the longest path.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace poolwarden::dispatch {

struct RouteEntry {
  std::string host = "*";  // "*", "example.org" or "*.example.org"
  std::string path = "/";  // "/api" takes "/api" and "/api/x", not "/apix"
  std::size_t pool = 0;    // what match() answers
};

class RouteTable {
 public:
  RouteTable() = default;
  explicit RouteTable(std::vector<RouteEntry> entries);

  // `host` as in the Host field, with or without port; `path` as it was sent, before any "?".
  std::optional<std::size_t> match(std::string_view host, std::string_view path) const;

 private:
  std::vector<RouteEntry> entries_;  // most specific first
};

// "Example.org.:8080" -> "Example.org", "[::1]:80" -> "[::1]".
std::string_view without_port(std::string_view host);

}  // namespace poolwarden::dispatch
