#include "dispatch/route_table.h"

#include <algorithm>
#include <tuple>

namespace poolwarden::dispatch {
namespace {

// No locale: host names are ASCII.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_hosts(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_suffix_pattern(std::string_view host) { return host.starts_with("*."); }

bool host_matches(std::string_view pattern, std::string_view host) {
  if (pattern == "*") return true;
  if (!is_suffix_pattern(pattern)) return equal_hosts(pattern, host);
  const std::string_view suffix = pattern.substr(1);  // with its dot: "example.org" is not meant
  return host.size() > suffix.size() &&
         equal_hosts(host.substr(host.size() - suffix.size()), suffix);
}

// `prefix` has no slash at its end; the root is empty.
bool path_matches(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.empty() || path[prefix.size()] == '/';
}

int host_rank(std::string_view host) {
  if (host == "*") return 2;
  return is_suffix_pattern(host) ? 1 : 0;
}

bool more_specific(const RouteEntry& a, const RouteEntry& b) {
  return std::make_tuple(host_rank(a.host), -static_cast<long>(a.host.size()),
                         -static_cast<long>(a.path.size())) <
         std::make_tuple(host_rank(b.host), -static_cast<long>(b.host.size()),
                         -static_cast<long>(b.path.size()));
}

}  // namespace

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

RouteTable::RouteTable(std::vector<RouteEntry> entries) : entries_(std::move(entries)) {
  for (RouteEntry& entry : entries_) {
    entry.host = std::string(without_port(entry.host));
    while (entry.path.ends_with('/')) entry.path.pop_back();
  }
  std::stable_sort(entries_.begin(), entries_.end(), more_specific);
}

std::optional<std::size_t> RouteTable::match(std::string_view host, std::string_view path) const {
  const std::string_view name = without_port(host);
  if (!path.starts_with('/')) path = "/";  // "OPTIONS *" asks of the whole host
  for (const RouteEntry& entry : entries_) {
    if (host_matches(entry.host, name) && path_matches(entry.path, path)) return entry.pool;
  }
  return std::nullopt;
}

}  // namespace poolwarden::dispatch
