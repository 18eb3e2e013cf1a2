// Looks at things as a worker would: in a child that has gone every step that a worker's goes
// before its exec, by the same code.

#pragma once

#include "base/result.h"
#include "doctor/patient_look.h"
#include "process/launch_plan.h"

namespace poolwarden::doctor {

// Has `look` tell what it finds in a child with the plan's identity, capabilities and limits; the
// plan's program is not run, its working directory not entered. Errors: the step of the start that
// failed, before anything was told, as "cannot become user 33: Operation not permitted"; or an
// early end. For a process with one thread only: the child is a copy of all of it.
Result<void> as_worker(process::LaunchPlan plan, const Teller& teller, const Look& look);

}  // namespace poolwarden::doctor
