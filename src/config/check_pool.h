// What is wrong with a pool although each of its keys is right by itself.

#pragma once

#include <vector>

#include "config/cell.h"
#include "config/settings.h"

namespace poolwarden::config {

// `cell` is the pool's map with the defaults under it. Also decides what depends on several keys:
// when a worker counts as ready, if the file leaves it open.
void check_pool(const Cell& cell, pool::PoolSettings& pool);

// A pool and where it stands, for what concerns several of them.
struct PlacedPool {
  Cell cell;
  const pool::PoolSettings* settings;
};
void check_pools_together(const std::vector<PlacedPool>& pools);

void check_addresses(const Cell& top, const Settings& settings);

}  // namespace poolwarden::config
