// The order `why`: the lives of the workers of a pool, or of one slot of it, and what they died of.

#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "journal/death_register.h"

namespace poolwarden::cli {

// `pools`: those of the supervisor by name. {"pool", "worker", "history": […], "certificates":
// […]}, newest first, and "left_out", how many certificates were too much for one answer. Errors:
// there is no such pool or worker, and none is remembered.
Result<boost::json::object> why(const boost::json::object& request,
                                const std::vector<std::string>& pools,
                                const journal::DeathRegister& deaths);

}  // namespace poolwarden::cli
