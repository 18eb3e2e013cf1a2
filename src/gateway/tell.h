// What the gateway tells the supervisor, as those see it who have something to tell.

#pragma once

#include <functional>

#include "link/messages.h"

namespace poolwarden::gateway {

using Tell = std::function<void(const link::ToSupervisor&)>;

}  // namespace poolwarden::gateway
