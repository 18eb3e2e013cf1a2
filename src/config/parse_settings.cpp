#include "config/parse_settings.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "config/check_pool.h"
#include "config/check_together.h"
#include "config/read_keys.h"
#include "config/yaml_reader.h"

namespace poolwarden::config {
namespace {

using pool::PoolSettings;

constexpr std::size_t kMostPools = 256;  // as many as the scoreboard has rows for
constexpr std::size_t kLongestName = 64;

KeyNames names_of_pool() {
  return {paths_of(pool_keys()), paths_of(server_keys()), "", " at the top of the file"};
}

KeyNames names_of_server() {
  return {paths_of(server_keys()), paths_of(pool_keys()), "pools.NAME.", ""};
}

// A pool's name becomes a metric label and a cgroup directory.
bool is_pool_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), allowed);
}

void check_name(const Cell& cell, const Entry& entry) {
  if (is_pool_name(entry.key)) return;
  cell.error_at(entry.place, join(cell.path, entry.key),
                "\"" + entry.key +
                    "\" cannot be the name of a pool: letters, digits, - and _ only, "
                    "from 1 to 64 of them");
}

// Both at one place would leave open which is meant; a pool's own one wins over the defaults.
void check_ready_once(const Cell& pool) {
  if (!pool.has("ready.when") || !pool.has("ready.http")) return;
  pool.below("ready.http").error("ready.when is given too; remove one of them");
}

NodePtr read_defaults(const Cell& top, const KeyNames& names) {
  const Entry* entry = top.node->find("defaults");
  if (!entry) return make_map({});
  const Cell cell = top.value_of(*entry);
  PoolSettings unused;
  read_keys(pool_keys(), names, cell, unused);
  check_ready_once(cell);
  return entry->value->kind == Node::Kind::Map ? entry->value : make_map({});
}

// Nothing can be said of a pool that is not a map, or has a key of the wrong kind, so the checks
// of several keys wait until each is right.
PoolSettings read_pool(const Cell& cell, const Cell& own, const std::string& name,
                       const KeyNames& names) {
  PoolSettings pool;
  pool.name = name;
  const std::size_t before = cell.findings->size();
  read_keys(pool_keys(), names, cell, pool);
  const auto is_error = [](const Finding& finding) { return finding.kind == Finding::Kind::Error; };
  const auto first = cell.findings->begin() + static_cast<std::ptrdiff_t>(before);
  const bool readable =
      cell.node->kind == Node::Kind::Map || cell.node->kind == Node::Kind::Nothing;
  const bool has_command = cell.has("command");
  if (!std::any_of(first, cell.findings->end(), is_error) || (readable && !has_command)) {
    check_pool(cell, own, pool);
  }
  return pool;
}

const char* kPoolsExample = "pools: {web: {command: [gunicorn, \"app:app\"], routes: [{path: /}]}}";

bool expect_pools(const Cell& top, const Cell& pools) {
  if (!top.has("pools")) {
    top.error(std::string("pools is missing; add at least one, such as ") + kPoolsExample);
    return false;
  }
  const bool map = pools.node->kind == Node::Kind::Map;
  if (!map || pools.node->entries.empty()) {
    const std::string got = map ? "an empty map" : describe(*pools.node);
    pools.error(std::string("expected at least one pool, such as ") + kPoolsExample + ", got " +
                got);
    return false;
  }
  if (pools.node->entries.size() > kMostPools) {
    pools.error("expected at most 256 pools, got " + std::to_string(pools.node->entries.size()));
    return false;
  }
  return true;
}

void remember_places(Places& places, const Node& node, const std::string& path) {
  for (const Entry& entry : node.entries) {
    const std::string below = join(path, entry.key);
    places.insert({below, entry.value->place});
    remember_places(places, *entry.value, below);
  }
}

void read_pools(const Cell& top, Parsed& parsed) {
  const KeyNames names = names_of_pool();
  const NodePtr defaults = read_defaults(top, names);
  const Cell pools = top.below("pools");
  if (!expect_pools(top, pools)) return;
  std::vector<NodePtr> laid_over;  // keeps the merged maps alive for the cells
  std::vector<Cell> cells;
  for (const Entry& entry : pools.node->entries) {
    check_name(pools, entry);
    check_ready_once(pools.value_of(entry));
    Node whole = *merged(defaults, entry.value);
    // A pool as a whole is the line with its name, not its first key.
    whole.place = entry.place;
    laid_over.push_back(std::make_shared<const Node>(std::move(whole)));
    cells.push_back({laid_over.back().get(), join("pools", entry.key), top.findings});
    parsed.settings.pools.push_back(
        read_pool(cells.back(), pools.value_of(entry), entry.key, names));
  }
  std::vector<PlacedPool> placed;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    placed.push_back({cells[i], &parsed.settings.pools[i]});
    parsed.places.insert({cells[i].path, cells[i].node->place});
  }
  check_pools_together(placed);
  if (!parsed.ok()) return;  // unknown keys could be any number
  for (const Cell& cell : cells) remember_places(parsed.places, *cell.node, cell.path);
}

// What the defaults have wrong is wrong in each pool again; it is told once, where it stands.
void tidy(std::vector<Finding>& findings) {
  std::set<std::tuple<Finding::Kind, int, int, std::string>> told;
  std::vector<Finding> once;
  for (Finding& finding : findings) {
    if (told.insert({finding.kind, finding.line, finding.column, finding.message}).second) {
      once.push_back(std::move(finding));
    }
  }
  std::stable_sort(once.begin(), once.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  findings = std::move(once);
}

void read_top(const Node& node, Parsed& parsed) {
  const Cell top{&node, "", &parsed.findings};
  if (node.kind == Node::Kind::Nothing) {
    return top.error(std::string("the file holds no settings; it needs at least ") + kPoolsExample);
  }
  if (node.kind != Node::Kind::Map) {
    return top.expected("a map with keys such as listen and pools");
  }
  read_keys(server_keys(), names_of_server(), top, parsed.settings);
  check_addresses(top, parsed.settings);
  read_pools(top, parsed);
  if (!parsed.ok()) return;
  for (const Entry& entry : node.entries) {
    parsed.places.insert({entry.key, entry.value->place});
    if (entry.key != "pools") remember_places(parsed.places, *entry.value, entry.key);
  }
}

}  // namespace

bool Parsed::ok() const {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.kind == Finding::Kind::Error; });
}

Parsed parse_settings(const std::string& yaml_text) {
  Parsed parsed{default_settings(), {}, {}};
  const Document document = read_yaml(yaml_text);
  parsed.findings = document.findings;
  if (document.top) {
    read_top(*document.top, parsed);
  } else if (parsed.findings.empty()) {
    read_top(Node{.place = {1, 1}}, parsed);
  }
  tidy(parsed.findings);
  return parsed;
}

}  // namespace poolwarden::config
