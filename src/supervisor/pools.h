// The pools of a supervisor by name: those in service, and those that a reload has taken out of it
// and that still have workers. Both may have one of a name: then the one in service waits until the
// other is gone.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "supervisor/pool_runner.h"

namespace poolwarden::supervisor {

class Pools {
 public:
  using Runner = std::shared_ptr<PoolRunner>;
  // `row`: of the scoreboard.
  using Make = std::function<Runner(const pool::PoolSettings& settings, std::uint32_t row)>;

  explicit Pools(Make make) : make_(std::move(make)) {}

  // Each name keeps its row of the scoreboard, so that what is counted there is never another's.
  bool has_rows_for(const std::vector<std::string>& names) const;
  Runner add(const pool::PoolSettings& settings);
  // Out of service; among leaving() until it is forgotten.
  Runner take_out(const std::string& name);
  void forget(const Runner& leaving);
  void put_in_order_of(const std::vector<pool::PoolSettings>& pools);

  Runner find(const std::string& name) const;  // in service; null when there is none
  Runner find_leaving(const std::string& name) const;
  Runner owner_of(worker::WorkerId worker) const;  // null when it has ended
  const std::vector<Runner>& in_service() const { return in_service_; }
  const std::vector<Runner>& leaving() const { return leaving_; }
  // Copies: they may come and go while they are visited.
  std::vector<Runner> all() const;

  // What a new gateway has to know of all of them.
  std::vector<link::ToGateway> introduction() const;
  // As those in service are seen; a pool that leaves is shown until it is gone.
  std::vector<pool::PoolSnapshot> snapshots(TimePoint now, WallTime wall) const;

 private:
  std::uint32_t row_of(const std::string& name);

  Make make_;
  std::vector<Runner> in_service_;
  std::vector<Runner> leaving_;
  std::map<std::string, std::uint32_t> rows_;
};

const std::string& name_of(const Pools::Runner& runner);

// The gateway's description of a pool whose routes are gone.
std::vector<link::ToGateway> without_routes(std::vector<link::ToGateway> introduction);

}  // namespace poolwarden::supervisor
