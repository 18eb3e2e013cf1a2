// Formats of what a pool and the server are: routes, worker counts, times of day, addresses.

#pragma once

#include "config/format.h"
#include "config/settings.h"
#include "pool/pool_settings.h"

namespace poolwarden::config {

Format<std::vector<pool::Route>> routes();
Format<pool::WorkerCount> worker_count();
Format<std::vector<pool::TimeOfDay>> times_of_day();
Format<Address> address();
Format<std::vector<Address>> addresses();  // one, or a list
Format<std::string> socket_path();

}  // namespace poolwarden::config
