// Looks at things as a worker would: in a child that has gone every step that a worker's goes
// before its exec, by the same code.

#pragma once

#include <functional>

#include "base/result.h"
#include "doctor/check.h"
#include "process/launch_plan.h"

namespace poolwarden::doctor {

// What `look` finds in a child with the plan's identity, capabilities and limits; the plan's
// program is not run, its working directory not entered. Errors: the step of the start that failed,
// as "cannot become user 33: Operation not permitted". For a process with one thread only: the
// child is a copy of all of it.
Result<Checks> as_worker(process::LaunchPlan plan, const std::function<Checks()>& look);

}  // namespace poolwarden::doctor
