// The steps of a child on its way to exec, and how it reports the one that failed.

#pragma once

#include <string>

#include "diagnosis/exit_status.h"
#include "process/launch_plan.h"

namespace poolwarden::process {

// A finer diagnosis::SpawnStage: it tells what of the stage failed.
enum class ChildStep : int {
  EnterCgroup,
  Session,
  ParentDeath,
  Descriptors,
  OpenFiles,
  Core,
  Affinity,
  Groups,
  Group,
  User,
  Capabilities,
  NoNewPrivileges,
  Directory,
  Exec,
};

// What the child writes into the report pipe when a step fails. At a successful exec the pipe is
// closed with nothing in it.
struct ChildReport {
  ChildStep step{};
  int error = 0;
};

diagnosis::SpawnStage stage_of(ChildStep step);

// What the step worked on, for NotStarted.
std::string subject_of(ChildStep step, const LaunchPlan& plan);

}  // namespace poolwarden::process
