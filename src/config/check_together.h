// What is wrong with the pools together, or with addresses, although each by itself is right.

#pragma once

#include <vector>

#include "config/cell.h"
#include "config/settings.h"

namespace poolwarden::config {

// A pool and where it stands: its map with the defaults under it.
struct PlacedPool {
  Cell cell;
  const pool::PoolSettings* settings;
};
void check_pools_together(const std::vector<PlacedPool>& pools);

void check_addresses(const Cell& top, const Settings& settings);

}  // namespace poolwarden::config
