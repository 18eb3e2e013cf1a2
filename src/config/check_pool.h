// What is wrong with a pool although each of its keys is right by itself.

#pragma once

#include "config/cell.h"
#include "config/settings.h"

namespace poolwarden::config {

// `cell` is the pool's map with the defaults under it, `own` without: what stands in the defaults
// is meant for the pools that it fits. Also decides what depends on several keys: when a worker
// counts as ready, if the file leaves it open.
void check_pool(const Cell& cell, const Cell& own, pool::PoolSettings& pool);

}  // namespace poolwarden::config
