#include "config/pool_formats.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "config/plain_formats.h"
#include "config/worker_formats.h"

namespace poolwarden::config {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::uint32_t kMostWorkers = 1024;  // of one pool
constexpr std::size_t kMostListeners = 64;    // as many as the scoreboard has rows for
constexpr std::size_t kLongestSocketPath = 107;

// Complains of each key of a small map that is not among `known`.
void check_keys(const Cell& cell, const std::vector<std::string>& known) {
  for (const Entry& entry : cell.node->entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::optional<std::string> meant = nearest(entry.key, known);
    cell.error_at(
        entry.place, join(cell.path, entry.key),
        "unknown key \"" + entry.key + "\"; " +
            (meant ? "did you mean \"" + *meant + "\"?" : "known here: " + one_of(known)));
  }
}

Result<std::string> parse_host(const std::string& text) {
  std::string host = text;
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const std::string what = "a host name such as example.org, *.example.org or *";
  const std::string name = host.starts_with("*.") ? host.substr(2) : host;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const bool ipv6 =
      host.starts_with('[') && host.ends_with(']') && parse_address(host + ":80").has_value();
  if (host == "*" || ipv6) return host;
  if (name.find(':') != std::string::npos) {
    return failure(wrong_text(what, text, "leave the port out: it is not compared"));
  }
  const bool dotted_well = !name.empty() && name.front() != '.' && name.back() != '.' &&
                           name.find("..") == std::string::npos;
  if (!dotted_well || !std::all_of(name.begin(), name.end(), allowed)) {
    return failure(wrong_text(what, text));
  }
  return host;
}

Format<std::string> route_host() {
  return scalar_format<std::string>("host", {{"type", "string"}},
                                    "a host name such as example.org, *.example.org or *",
                                    parse_host, [](const std::string& host) { return host; });
}

constexpr std::size_t kLongestRoute = 512;

std::optional<std::string> read_route_path(const Cell& cell) {
  std::optional<std::string> path = url_path("/ or /api").read(cell);
  if (path && path->find('?') != std::string::npos) {
    cell.expected("a path such as / or /api", "a route cannot look at the query");
    return std::nullopt;
  }
  // A prefix ends at a segment anyway, so /api/ and /api are one route.
  if (path && path->size() > kLongestRoute) {
    cell.expected("a path of at most " + std::to_string(kLongestRoute) + " bytes",
                  "a route is the beginning of a path");
    return std::nullopt;
  }
  while (path && path->size() > 1 && path->ends_with('/')) path->pop_back();
  return path;
}

std::optional<pool::Route> read_route(const Cell& cell) {
  if (cell.node->kind != Node::Kind::Map) {
    cell.expected("a route such as {host: \"*\", path: /}");
    return std::nullopt;
  }
  check_keys(cell, {"host", "path"});
  pool::Route route;
  if (const Entry* host = cell.node->find("host")) {
    const std::optional<std::string> value = route_host().read(cell.value_of(*host));
    if (!value) return std::nullopt;
    route.host = *value;
  }
  if (const Entry* path = cell.node->find("path")) {
    const std::optional<std::string> value = read_route_path(cell.value_of(*path));
    if (!value) return std::nullopt;
    route.path = *value;
  }
  return route;
}

NodePtr write_route(const pool::Route& route) {
  return make_map({{"host", {}, make_scalar(route.host)}, {"path", {}, make_scalar(route.path)}});
}

std::optional<pool::WorkerCount> read_worker_count(const Cell& cell) {
  const Format<std::uint32_t> number = whole(0, kMostWorkers);
  if (cell.node->kind == Node::Kind::Scalar) {
    const std::optional<std::uint32_t> count = number.read(cell);
    if (!count) return std::nullopt;
    return pool::WorkerCount{*count, *count};
  }
  if (cell.node->kind != Node::Kind::Map) {
    cell.expected("a number, or a map such as {min: 2, max: 4}");
    return std::nullopt;
  }
  check_keys(cell, {"min", "max"});
  const Entry* min = cell.node->find("min");
  const Entry* max = cell.node->find("max");
  const auto least = min ? number.read(cell.value_of(*min)) : std::optional<std::uint32_t>(1);
  const auto most = max ? number.read(cell.value_of(*max)) : least;
  if (!least || !most) return std::nullopt;
  if (*most < *least) {
    cell.value_of(*max).error("max is " + std::to_string(*most) + " and less than min, which is " +
                              std::to_string(*least) + "; leave max out to have both the same");
    return std::nullopt;
  }
  return pool::WorkerCount{*least, *most};
}

NodePtr write_worker_count(const pool::WorkerCount& count) {
  if (count.min == count.max) return make_scalar(std::to_string(count.min));
  return make_map({{"min", {}, make_scalar(std::to_string(count.min))},
                   {"max", {}, make_scalar(std::to_string(count.max))}});
}

Result<pool::TimeOfDay> parse_time(const std::string& text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  const bool shaped =
      text.size() == 5 && text[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4);
  const int hour = shaped ? (text[0] - '0') * 10 + text[1] - '0' : 24;
  const int minute = shaped ? (text[3] - '0') * 10 + text[4] - '0' : 60;
  if (hour > 23 || minute > 59) {
    return failure(wrong_text("a time of day from \"00:00\" to \"23:59\"", text));
  }
  return pool::TimeOfDay{static_cast<std::uint8_t>(hour), static_cast<std::uint8_t>(minute)};
}

std::string show_time(const pool::TimeOfDay& time) {
  const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  return two(time.hour) + ":" + two(time.minute);
}

}  // namespace

Format<std::vector<pool::Route>> routes() {
  object properties{{"host", object{{"type", "string"}}},
                    {"path", object{{"type", "string"}, {"pattern", "^/"}}}};
  const Format<pool::Route> route{
      "routes",
      {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}},
      read_route,
      write_route};
  return list_of(route, "[{host: \"*\", path: /}]");
}

Format<pool::WorkerCount> worker_count() {
  object number{{"type", "integer"}, {"minimum", 0}, {"maximum", kMostWorkers}};
  object range{{"type", "object"},
               {"properties", object{{"min", number}, {"max", number}}},
               {"additionalProperties", false}};
  return {"number or {min, max}",
          {{"anyOf", array{number, range}}},
          read_worker_count,
          write_worker_count};
}

Format<std::vector<pool::TimeOfDay>> times_of_day() {
  const auto time = scalar_format<pool::TimeOfDay>(
      "times", {{"type", "string"}, {"pattern", "^[0-2][0-9]:[0-5][0-9]$"}},
      "a time of day such as \"03:00\"", parse_time, show_time);
  Format<std::vector<pool::TimeOfDay>> format = list_of(time, "[\"03:00\"]");
  format.schema["uniqueItems"] = true;
  format.read = [read = format.read](const Cell& cell) {
    std::optional<std::vector<pool::TimeOfDay>> times = read(cell);
    if (!times || times->size() != cell.node->items.size()) return times;
    for (std::size_t i = 0; i < times->size(); ++i) {
      if (std::find(times->begin(), times->begin() + static_cast<std::ptrdiff_t>(i), (*times)[i]) !=
          times->begin() + static_cast<std::ptrdiff_t>(i)) {
        cell.item(i).error("the time " + show_time((*times)[i]) +
                           " stands here a second time; remove one of them");
      }
    }
    return times;
  };
  return format;
}

Format<Address> address() {
  return scalar_format<Address>(
      "address", {{"type", "string"}, {"pattern", "^(unix:/.*|[^:]+:[0-9]+|\\[.*\\]:[0-9]+)$"}},
      "an address such as 0.0.0.0:8080 or unix:/run/web.sock", parse_address,
      [](const Address& value) { return describe(value); });
}

Format<std::vector<Address>> addresses() {
  const Format<Address> one = address();
  Format<std::vector<Address>> list = list_of(one, "[0.0.0.0:8080, \"[::]:8080\"]");
  list.kind = "address or list of addresses";
  list.schema["minItems"] = 1;
  list.schema = {{"anyOf", array{one.schema, list.schema}}};
  list.read = [one, read = list.read](const Cell& cell) -> std::optional<std::vector<Address>> {
    if (cell.node->kind == Node::Kind::List) {
      if (cell.node->items.size() - 1 < kMostListeners) return read(cell);
      cell.error("expected from 1 to 64 addresses, got " + std::to_string(cell.node->items.size()));
      return std::nullopt;
    }
    const std::optional<Address> value = one.read(cell);
    if (!value) return std::nullopt;
    return std::vector<Address>{*value};
  };
  return list;
}

Format<std::string> socket_path() {
  const std::string what = "an absolute path such as /run/poolwarden/control.sock";
  return scalar_format<std::string>(
      "path", {{"type", "string"}, {"pattern", "^/"}, {"maxLength", kLongestSocketPath}}, what,
      [what](const std::string& text) -> Result<std::string> {
        if (!text.starts_with('/')) return failure(wrong_text(what, text, "it must begin with /"));
        if (text.size() <= kLongestSocketPath) return text;
        return failure(wrong_text(
            what, text,
            "a socket's path has at most 107 bytes, this has " + std::to_string(text.size())));
      },
      [](const std::string& path) { return path; });
}

}  // namespace poolwarden::config
