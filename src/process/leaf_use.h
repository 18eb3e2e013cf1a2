// A cgroup for one process: entered at its start, removed after the end of its tree.

#pragma once

#include <boost/asio/awaitable.hpp>

#include "cgroup/leaf.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

// Has the plan's child begin in it; `entry` is to be kept until that has been cloned.
void enter_leaf(LaunchPlan& plan, const cgroup::Entry& entry);

// Tries for 40 ms: the kernel may still be letting go of the last member. What cannot be removed is
// found again when the supervisor ends or starts.
boost::asio::awaitable<void> remove_when_empty(cgroup::Leaf leaf);

}  // namespace poolwarden::process
