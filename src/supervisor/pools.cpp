#include "supervisor/pools.h"

#include <algorithm>

namespace poolwarden::supervisor {
namespace {

Pools::Runner find_in(const std::vector<Pools::Runner>& runners, const std::string& name) {
  const auto found = std::find_if(runners.begin(), runners.end(),
                                  [&](const auto& runner) { return name_of(runner) == name; });
  return found == runners.end() ? nullptr : *found;
}

}  // namespace

const std::string& name_of(const Pools::Runner& runner) { return runner->pool().settings().name; }

std::vector<link::ToGateway> without_routes(std::vector<link::ToGateway> introduction) {
  for (link::ToGateway& message : introduction) {
    if (auto* added = std::get_if<link::PoolAdded>(&message)) added->routes.clear();
  }
  return introduction;
}

bool Pools::has_rows_for(const std::vector<std::string>& names) const {
  const auto is_new = [&](const std::string& name) { return !rows_.contains(name); };
  const auto wanted = std::count_if(names.begin(), names.end(), is_new);
  return rows_.size() + static_cast<std::size_t>(wanted) <= link::kMaxPools;
}

std::uint32_t Pools::row_of(const std::string& name) {
  return rows_.try_emplace(name, static_cast<std::uint32_t>(rows_.size())).first->second;
}

Pools::Runner Pools::add(const pool::PoolSettings& settings) {
  in_service_.push_back(make_(settings, row_of(settings.name)));
  return in_service_.back();
}

Pools::Runner Pools::take_out(const std::string& name) {
  Runner runner = find(name);
  std::erase(in_service_, runner);
  leaving_.push_back(runner);
  return runner;
}

void Pools::forget(const Runner& leaving) { std::erase(leaving_, Runner(leaving)); }

void Pools::put_in_order_of(const std::vector<pool::PoolSettings>& pools) {
  std::vector<Runner> ordered;
  for (const pool::PoolSettings& settings : pools) ordered.push_back(find(settings.name));
  in_service_ = std::move(ordered);
}

Pools::Runner Pools::find(const std::string& name) const { return find_in(in_service_, name); }

Pools::Runner Pools::find_leaving(const std::string& name) const { return find_in(leaving_, name); }

Pools::Runner Pools::owner_of(worker::WorkerId worker) const {
  for (const auto* runners : {&in_service_, &leaving_}) {
    for (const Runner& runner : *runners)
      if (runner->pool().has(worker) || runner->pool().remembers(worker)) return runner;
  }
  return nullptr;
}

std::vector<Pools::Runner> Pools::all() const {
  std::vector<Runner> runners = in_service_;
  runners.insert(runners.end(), leaving_.begin(), leaving_.end());
  return runners;
}

std::vector<link::ToGateway> Pools::introduction() const {
  std::vector<link::ToGateway> all;
  const auto add = [&](std::vector<link::ToGateway> messages) {
    for (link::ToGateway& message : messages) all.push_back(std::move(message));
  };
  for (const Runner& runner : in_service_) add(runner->introduction());
  for (const Runner& runner : leaving_) add(without_routes(runner->introduction()));
  all.emplace_back(link::RoutesChanged{});
  return all;
}

std::vector<pool::PoolSnapshot> Pools::snapshots(TimePoint now, WallTime wall) const {
  std::vector<pool::PoolSnapshot> shots;
  for (const Runner& runner : in_service_) {
    const Runner leaving = find_leaving(name_of(runner));
    shots.push_back((leaving ? leaving : runner)->snapshot(now, wall));
  }
  for (const Runner& runner : leaving_) {
    if (find(name_of(runner))) continue;
    shots.push_back(runner->snapshot(now, wall));
    shots.back().removed = true;
  }
  return shots;
}

}  // namespace poolwarden::supervisor
